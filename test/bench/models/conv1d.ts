/** A classifier of sequences by 1-D convolutions: 200 steps of 100 features. */
import { Conv1D, Dense, Dropout, GlobalAveragePooling1D, MaxPooling1D, RMSprop, Sequential } from 'kcc'

/**
 * @param keep false leaves dropout out, so that losses can be compared with those of peers; steps are then shorter, as long
 *   ones on random data drive the output to 0 and 1, where some backends clip it
 */
export function makeModel(keep = true) {
  const model = Sequential([
    Conv1D(64, 3, { activation: 'relu', inputShape: [200, 100] }),
    Conv1D(64, 3, { activation: 'relu' }),
    MaxPooling1D({ poolSize: 3 }),
    Conv1D(128, 3, { activation: 'relu' }),
    Conv1D(128, 3, { activation: 'relu' }),
    GlobalAveragePooling1D(), ...(keep ? [Dropout(0.5)] : []),
    Dense(1, { activation: 'sigmoid' }),
  ])
  model.compile({ loss: 'binary_crossentropy', optimizer: RMSprop({ lr: keep ? 0.001 : 0.0001 }) })
  return model
}

export default makeModel()
