/** The rooms table of the README, which is the definition of who may import whom. */
import { builtinModules } from 'node:module'
import { read, type Import } from './files.js'

export type Room = {
  /** `compiler/ir/`, or a file such as `compiler/index.ts`. */
  readonly path: string
  readonly allowed: readonly Permission[]
}

export type Permission = {
  /** A room's path, `npm:<package>`, `node`, or `*` for everything. */
  readonly name: string
  readonly typesOnly: boolean
}

/** @throws Error when the README has no rooms table. */
export function readRooms(): Room[] {
  const lines = read('README.md').split('\n')
  const head = lines.findIndex((line) => /^\| path \| .* \| may import \|$/.test(line))
  if (head < 0) throw new Error('README.md has no table with the columns path and may import')
  const rows = lines.slice(head + 2)
  return rows.slice(0, rows.findIndex((line) => !line.startsWith('|'))).map((line) => {
    const [path = '', , allowed = ''] = line.slice(1, -1).split(' | ')
    return { path: /`([^`]+)`/.exec(path)![1]!, allowed: permissions(allowed) }
  })
}

/** "`ir`, `emit` (types), `npm:execa`": rooms of the compiler without their `compiler/`. */
const permissions = (cell: string): Permission[] =>
  [...cell.matchAll(/`([^`]+)`( \(types\))?/g)].map(([, name, types]) => ({ name: name!, typesOnly: types !== undefined }))

export const shortName = (room: Room): string => room.path.replace(/^compiler\//, '').replace(/\/$/, '')

/** The room a file is in: the longest path that fits. */
export const roomOf = (rooms: readonly Room[], file: string): Room | undefined =>
  rooms.filter((room) => file === room.path || (room.path.endsWith('/') && file.startsWith(room.path))).sort((a, b) => b.path.length - a.path.length)[0]

/** What is wrong with an import, or null. */
export function violation(rooms: readonly Room[], { from, to, typesOnly, line }: Import): string | null {
  const room = roomOf(rooms, from)
  const named = targetName(rooms, to)
  if (!room) return `${from} is in no room of the table`
  if (named === null) return `${from}:${line} imports ${to}, which is in no room of the table`
  if (named === shortName(room)) return null
  const permission = room.allowed.find(({ name }) => name === named || name === '*')
  if (!permission) return `${from}:${line} imports ${to}: ${room.path} may not import ${named}`
  return permission.typesOnly && !typesOnly ? `${from}:${line} imports ${to}: ${room.path} may import only types of ${named}` : null
}

/** How the table calls what is imported: a room, `npm:<package>` or `node`; null for what it does not know. */
export function targetName(rooms: readonly Room[], to: string): string | null {
  if (to.startsWith('node:') || builtinModules.includes(to)) return 'node'
  if (!to.endsWith('.ts')) return `npm:${/^(@[^/]+\/)?[^/]+/.exec(to)![0]}`
  const room = roomOf(rooms, to)
  return room ? shortName(room) : null
}
