/** Files that are there completely or not at all, whatever happens while they are written. */
import { randomBytes } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import path from 'node:path'

/**
 * Writes beside the target, forces the bytes to the disk and renames. A file that was there is replaced in one step; on
 * an error it stays as it was and nothing is left beside it.
 */
export async function writeFileAtomic(file: string, pieces: readonly Uint8Array[]): Promise<void> {
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}.${randomBytes(6).toString('hex')}.tmp`)
  try {
    await writeAll(temporary, pieces)
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await syncFolder(path.dirname(file))
}

async function writeAll(file: string, pieces: readonly Uint8Array[]): Promise<void> {
  const handle = await open(file, 'wx')
  try {
    for (const piece of pieces) await writePiece(handle, piece)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** One write may take only a part of a large piece. */
async function writePiece(handle: Awaited<ReturnType<typeof open>>, piece: Uint8Array): Promise<void> {
  for (let done = 0; done < piece.length;) done += (await handle.write(piece, done, piece.length - done)).bytesWritten
}

/** Makes the rename itself durable; some file systems cannot, and then it is durable a little later. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => null)
  await handle?.sync().catch(() => undefined)
  await handle?.close()
}
