/** Spelling of identifiers of losses, metrics and optimizers. */

/** `meanSquaredError` to `mean_squared_error`, `topKAccuracy` to `top_k_accuracy`, `beta1` to `beta_1`; abbreviations such as `MSE` stay as they are. */
export const snakeIdentifier = (name: string): string =>
  /^[A-Z]{2}/.test(name) ? name : name.replaceAll(/([A-Z])([A-Z][a-z])/g, '$1_$2').replaceAll(/([a-z])([A-Z0-9])/g, '$1_$2').toLowerCase()

/** The name by which a function of the user's is known. */
export const functionName = (fn: { readonly name: string }): string => (fn.name === '' ? 'lambda' : fn.name)
