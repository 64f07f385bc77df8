/** Opens a model for `kcc predict`, `evaluate` and `fit`: traced TypeScript, a `.h5` file, or a compiled package. */
import { RuntimeError } from '../../runtime/contract/errors.js'
import type { ModuleManifest } from '../../runtime/contract/manifest.js'
import { runOn } from '../engine.js'
import type { OpenedModel } from '../files/commands.js'
import { moduleSource } from '../nn/module-source.js'
import { displayPath } from '../support/paths.js'
import { UsageError } from './exit-codes.js'
import type { LoadedModel } from './load-models.js'
import { loadModels } from './load-models.js'
import { isPackage, packageAt } from './open-package.js'
import { runTargetOf, type RunFlags } from './run-target.js'

export async function openModel(file: string, options: RunFlags & { readonly check: boolean }): Promise<OpenedModel> {
  if (isPackage(file)) return openPackage(file, options)
  runOn(runTargetOf(options))
  const { models } = await loadModels(file, options)
  const [first, ...others] = models
  if (others.length > 0 && first!.exportName !== 'default') {
    throw new UsageError(`${displayPath(file)} exports several models (${models.map((m) => m.exportName).join(', ')}) and no default export, so it is not clear which is meant.`)
  }
  return openTraced(first!.model)
}

type Names = Pick<OpenedModel, 'inputNames' | 'outputNames' | 'targetNames' | 'metricsNames'>

const namesOf = (model: ModuleManifest['model']): Names => ({
  inputNames: model?.inputNames ?? [],
  outputNames: model?.outputNames ?? [],
  targetNames: (model?.targets ?? []).map((target) => target.output),
  metricsNames: model?.metricsNames ?? [],
})

function openTraced(model: LoadedModel): OpenedModel {
  return {
    ...namesOf(moduleSource(model).model),
    predict: (x, options) => model.predict(x, options),
    evaluate: (x, y, options) => model.evaluate(x, y, options),
    fit: (x, y, options) => model.fit(x, y, options),
    save: (path) => model.save(path),
    close: () => model.releaseEngine(),
  }
}

async function openPackage(folder: string, options: RunFlags): Promise<OpenedModel> {
  const model = await packageAt(folder, options)
  return {
    ...namesOf(model.program.manifest.model),
    predict: (x, options) => model.predict(x, options),
    evaluate: (x, y, options) => model.evaluate(x, y, options),
    fit: (x, y, options) => model.fit(x, y, options),
    save: () => Promise.reject(new RuntimeError('A package cannot be written as .h5: give the model file it was built from.')),
    close: () => model.close(),
  }
}
