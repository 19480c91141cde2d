// The CPU time of a server, from /proc (Linux): proc_pid_stat(5).

import { readdirSync, readFileSync } from "node:fs"

/** CPU time of a process, all its threads and all its descendants, those that have ended included. */
export interface TreeCpu {
  /** Seconds. */
  readonly user: number
  readonly system: number
  /** Seconds of each thread that lives, by its number. */
  readonly threads: ReadonlyMap<number, number>
  readonly processes: number
}

/** A tick of /proc/PID/stat: sysconf(_SC_CLK_TCK), 100 on every Linux that is not built oddly. */
const ticksPerSecond = 100

export interface Stat {
  readonly pid: number
  readonly program: string
  readonly parent: number
  /** Ticks. Of all threads, those that have ended included. */
  readonly user: number
  readonly system: number
  /** Ticks of children that have ended and were waited for. */
  readonly childrenUser: number
  readonly childrenSystem: number
}

/** A program's name may have spaces and parentheses: the last one ends it. */
export function parseStat(text: string): Stat | undefined {
  const [, pid = "", program = "", rest = ""] = /^(\d+) \((.*)\) (.*)$/s.exec(text.trim()) ?? []
  const fields = rest.split(" ")
  const at = (number: number) => Number(fields[number - 3])
  if (pid === "" || fields.length < 15) return undefined
  return {
    pid: Number(pid),
    program,
    parent: at(4),
    user: at(14),
    system: at(15),
    childrenUser: at(16),
    childrenSystem: at(17),
  }
}

/** undefined: there is no such process, or no /proc. */
export function statOf(pid: number): Stat | undefined {
  const text = textOf(`/proc/${pid}/stat`)
  return text === undefined ? undefined : parseStat(text)
}

/** undefined: there is no such process. */
export function treeCpu(pid: number): TreeCpu | undefined {
  const root = statOf(pid)
  if (root === undefined) return undefined
  const members = familyOf(root, allStats())
  let [user, system] = [0, 0]
  const threads = new Map<number, number>()
  for (const member of members) {
    user += member.user + member.childrenUser
    system += member.system + member.childrenSystem
    for (const thread of namesIn(`/proc/${member.pid}/task`)) {
      const stat = parseStat(textOf(`/proc/${member.pid}/task/${thread}/stat`) ?? "")
      if (stat !== undefined) threads.set(Number(thread), (stat.user + stat.system) / ticksPerSecond)
    }
  }
  return { user: user / ticksPerSecond, system: system / ticksPerSecond, threads, processes: members.length }
}

/** Of the thread that worked most between two readings: seconds. */
export function busiestThread(before: TreeCpu, after: TreeCpu): number {
  const spent = [...after.threads].map(([thread, seconds]) => seconds - (before.threads.get(thread) ?? 0))
  return Math.max(0, ...spent)
}

function familyOf(root: Stat, all: readonly Stat[]): readonly Stat[] {
  const members = new Map([[root.pid, root]])
  for (let before = -1; before !== members.size; ) {
    before = members.size
    for (const stat of all) if (members.has(stat.parent)) members.set(stat.pid, stat)
  }
  return [...members.values()]
}

function allStats(): readonly Stat[] {
  return namesIn("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => parseStat(textOf(`/proc/${name}/stat`) ?? ""))
    .filter((stat) => stat !== undefined)
}

/** CPUs that a process may run on, such as `0-3`. */
export function cpusAllowed(pid: number | "self"): string | null {
  return /^Cpus_allowed_list:\s*(\S+)/m.exec(textOf(`/proc/${pid}/status`) ?? "")?.[1] ?? null
}

/** `0-3,8` are 5. */
export function countCpus(list: string): number {
  return list.split(",").reduce((sum, part) => {
    const [first = 0, last = first] = part.split("-").map(Number)
    return sum + last - first + 1
  }, 0)
}

/** What a process was started by. */
export function commandOfProcess(pid: number): string | undefined {
  const text = textOf(`/proc/${pid}/cmdline`)
  return text === undefined || text === "" ? undefined : text.split("\0").join(" ").trim()
}

export function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return undefined
  }
}

function namesIn(path: string): readonly string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}
