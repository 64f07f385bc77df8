// Carries out requests from a file in a process of its own: node run-requests.mjs <native file> <requests> <results>.
// Plain JavaScript, because the process runs under a preloaded sanitizer.
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { deserialize, serialize } from 'node:v8'

const [file, from, to] = process.argv.slice(2)
const addon = createRequire(import.meta.url)(file)
const requests = deserialize(readFileSync(from))
const modules = new Map()
const open = (name) => modules.get(name) ?? modules.set(name, addon.open(name)).get(name)

for (const [i, request] of requests.entries()) {
  // Arrays of their own memory: the sanitizer watches the ends of each.
  const own = (array) => array.slice()
  const inputs = request.inputs.map(own), outputs = request.outputs.map(own)
  const module = open(request.module)
  writeFileSync(`${to}.last`, `${i} ${request.names.join(' ')}`)
  for (const { index, value } of request.variables) module.setVariable(index, own(value))
  for (const { index, value } of request.scalars) module.setScalar(index, value)
  module.setRandom(request.random.seed, request.random.step)
  module.call(request.fn, inputs, outputs, request.dims)
  request.outputs = outputs
  for (const u of request.updated) { u.into = own(u.into); module.getVariable(u.index, u.into) }
}
writeFileSync(to, serialize(requests.map(({ outputs, updated }) => [...outputs, ...updated.map((u) => u.into)])))
