/** What the shell sees. */
import { CommanderError } from 'commander'
import { ToolchainError } from '../../runtime/contract/errors.js'

export const exitCodes = {
  ok: 0,
  /** An error in the model, its data, or its build. */
  failed: 1,
  /** Wrong arguments. */
  usage: 2,
  /** A tool is missing or broken; `kcc doctor` says which. */
  toolchain: 3,
  /** Ctrl-C. */
  interrupted: 130,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** Thrown for arguments that parse but cannot be meant. */
export class UsageError extends Error {}

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof UsageError) return exitCodes.usage
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  if (error instanceof ToolchainError) return exitCodes.toolchain
  return exitCodes.failed
}
