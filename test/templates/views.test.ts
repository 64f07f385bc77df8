/** Every name in a template is a field of its view, and templates hold structure only. */
import Handlebars from 'handlebars'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { read, root } from '../architecture/files.js'
import { templates, unknownNames, viewTypes } from './template-views.js'

const views = viewTypes()
const partials = templates.filter((template) => template.startsWith('_'))

test('every template has a view', () => {
  expect(templates.filter((template) => !partials.includes(template) && !views.has(template))).toEqual([])
})

describe.each([...views].map(([template, view]) => ({ template, view })))('$template', ({ template, view }) => {
  test('uses only names that its view has', () => { expect(unknownNames(template, view)).toEqual([]) })
})

test('a name that a view lacks is found', () => {
  const ofModule = views.get('module.cc')!
  expect(unknownNames('kernels.cc', ofModule).map((found) => found.replace(/^\d+: /, ''))).toEqual(['includes', 'texts'])
})

describe.each(templates)('%s', (template) => {
  const text = read(`templates/${template}.hbs`)

  test('decides nothing: only `if`, `each` and `unless`, and no comparison', () => {
    const blocks = [...text.matchAll(/\{\{~?#\s*([\w.]+)/g)].map(([, name]) => name!)
    expect(blocks.filter((name) => !['if', 'each', 'unless'].includes(name))).toEqual([])
  })

  test('includes only headers of native/include', () => {
    const headers = [...text.matchAll(/#include "([^"{]+)"/g)].map(([, name]) => name!)
    expect(headers.filter((name) => !existsSync(join(root, 'native', 'include', name)))).toEqual([])
  })

  test('parses', () => { expect(Handlebars.parse(text).body.length).toBeGreaterThan(0) })
})
