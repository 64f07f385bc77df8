/** Handlebars over `templates/`: strict, without escaping, and without helpers beyond the built-in ones. */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import Handlebars from 'handlebars'

type Render = (view: object) => string

/** A view whose missing fields throw, also inside `{{#if}}` and `{{#each}}`, where Handlebars itself stays silent. */
function strictView(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(strictView)
  if (value === null || typeof value !== 'object') return value
  const checked = Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, strictView(inner)]))
  return new Proxy(checked, {
    get(target, key) {
      if (typeof key === 'symbol' || key in target || key in Object.prototype || builtIn.has(key)) return Reflect.get(target, key)
      throw new Error(`a template asks for "${key}", which its view does not have`)
    },
  })
}

/** Names Handlebars itself looks up on a view. */
const builtIn: ReadonlySet<string> = new Set(['then', 'toHTML', 'lookupProperty', 'constructor', 'if', 'each', 'unless', 'with', 'lookup', 'helperMissing', 'blockHelperMissing'])

/** The templates below `directory`, by file name without `.hbs`; files whose names start with `_` are partials. */
export function loadTemplates(directory: string): (template: string, view: object) => string {
  const handlebars = Handlebars.create()
  const files = readdirSync(directory).filter((file) => file.endsWith('.hbs'))
  const text = (file: string): string => readFileSync(join(directory, file), 'utf8')
  for (const file of files.filter((f) => f.startsWith('_'))) handlebars.registerPartial(basename(file, '.hbs').slice(1), text(file))
  const compiled = new Map<string, Render>()
  return (template, view) => {
    const render = compiled.get(template) ?? handlebars.compile(text(`${template}.hbs`), { noEscape: true, strict: true, knownHelpersOnly: true })
    compiled.set(template, render)
    return render(strictView(view) as object)
  }
}
