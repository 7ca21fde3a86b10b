/** Which processes run, and what they started. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'

export interface RunningProcess {
  readonly pid: number
  readonly parent: number
  readonly command: string
}

/** Those that are still there; one that has ended and is only waiting to be reaped is not. */
export function runningProcesses(): RunningProcess[] {
  if (existsSync('/proc/self/stat')) return readdirSync('/proc').flatMap((name) => fromProc(Number(name)))
  const table = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat=,args='], { encoding: 'utf8' })
  return table.split('\n').flatMap((line) => {
    const [, pid, parent, state = '', command = ''] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? []
    return pid === undefined || state.startsWith('Z') ? [] : [{ pid: Number(pid), parent: Number(parent), command }]
  })
}

function fromProc(pid: number): RunningProcess[] {
  if (!Number.isInteger(pid)) return []
  try {
    // `pid (name) state ppid …`; the name may hold anything.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (state === 'Z') return []
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
    return [{ pid, parent: Number(parent), command }]
  } catch {
    // It ended while being looked at.
    return []
  }
}

/** What `pid` started, and what those started, in any depth. */
export function descendantsOf(pid: number): RunningProcess[] {
  const all = runningProcesses()
  const found: RunningProcess[] = []
  for (let parents = [pid]; parents.length > 0; ) {
    const children = all.filter(({ parent }) => parents.includes(parent))
    found.push(...children)
    parents = children.map((child) => child.pid)
  }
  return found
}
