/** Dimensions as C++: expressions over `int64_t` variables of the symbols' names and the functions of `kcc/driver.h`. */
import { dimText, type Dim } from '../ir/dim.js'

export const cDim = (dim: Dim): string => dimText(dim, (name) => `kcc::${name}`)
