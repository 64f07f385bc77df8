/** Saving and loading as methods of a model, as Keras spells them. Part of the facade: models themselves know no files. */
import { loadWeights, type LoadWeightsOptions } from './files/load.js'
import { saveModel, saveWeights, type SaveOptions } from './files/save.js'
import { ModelClass } from './nn/model.js'

declare module './nn/model.js' {
  interface ModelClass {
    /**
     * Writes architecture, weights, training configuration and the optimizer's state to an `.h5` file that Python Keras
     * reads. The file is replaced in one step.
     */
    save(path: string, options?: SaveOptions): Promise<void>
    /** Writes the weights alone to an `.h5` file. */
    saveWeights(path: string, options?: Pick<SaveOptions, 'overwrite'>): Promise<void>
    /** Reads weights from an `.h5` file of weights or of a whole model. @throws ValueError in Keras' words; then nothing is changed */
    loadWeights(path: string, options?: LoadWeightsOptions): Promise<void>
  }
}

/** Called once, by the facade. */
export function installPersistence(): void {
  ModelClass.prototype.save = function save(path, options) { return saveModel(this, path, options) }
  ModelClass.prototype.saveWeights = function save(path, options) { return saveWeights(this, path, options) }
  ModelClass.prototype.loadWeights = function load(path, options) { return loadWeights(this, path, options) }
}
