import { mkdtempSync, rmSync } from 'node:fs'
import * as os from 'node:os'
import * as path from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { BuildCache } from '../../compiler/build/cache.js'
import { buildNative } from '../../compiler/build/native.js'
import { scaleModule } from './fixture.js'
const folder = mkdtempSync(path.join(os.tmpdir(), 'kcc-build-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const cache = new BuildCache(path.join(folder, 'cache'))
test('thin', async () => {
  const a = await buildNative(scaleModule(2), { cache })
  console.log(a)
  console.log(await buildNative(scaleModule(2), { cache }))
  console.log(await buildNative(scaleModule(3), { cache }))
}, 60000)
