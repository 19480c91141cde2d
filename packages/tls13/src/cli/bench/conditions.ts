// What the CPUs of both sides, the machine and its ports did in a run.

import { rounded } from "../../measure/distribution.ts"
import type { Cpu, Run, ServerCpu } from "../../measure/report.ts"
import type { ClientCpu } from "./child-side.ts"
import { machineLoad } from "./machine.ts"
import { busiestThread, commandOfProcess, cpusAllowed, statOf } from "./processes.ts"
import type { Readings } from "./together.ts"

/**
 * @param completed operations of the measurement. @param pid of the server, if it is known
 * @param operations that were completed between the two readings of the server
 */
export function conditionsOf(
  raw: Readings & { readonly cpus: readonly ClientCpu[]; readonly sources: number },
  completed: number,
  pid: number | undefined,
  operations: number,
): Pick<Run, "client" | "server" | "machine" | "ports"> {
  const machine = machineLoad(raw.first.machine, raw.last.machine)
  return {
    client: clientCpu(raw.cpus, completed),
    server: serverCpu(raw, pid, operations),
    machine: machine && { busy: rounded(machine.busy), steal: rounded(machine.steal) },
    ports: raw.timeWait
      ? { timeWaitBefore: raw.timeWait.before, timeWaitAfter: raw.timeWait.after, sources: raw.sources }
      : null,
  }
}

function clientCpu(cpus: readonly ClientCpu[], completed: number): Cpu {
  const user = cpus.reduce((sum, each) => sum + each.user, 0)
  const system = cpus.reduce((sum, each) => sum + each.system, 0)
  const cores = cpus.reduce((sum, each) => sum + (each.user + each.system) / each.elapsed, 0)
  const busiest = Math.max(...cpus.map((each) => Math.min(1, (each.user + each.system) / each.elapsed)))
  return cpuOf(user, system, cores, busiest, completed)
}

function serverCpu({ first, last }: Readings, pid: number | undefined, operations: number): ServerCpu | null {
  if (pid === undefined || first.server === undefined || last.server === undefined) return null
  const [before, after] = [first.server, last.server]
  const elapsed = Math.max(0.001, (last.at - first.at) / 1000)
  const [user, system] = [after.user - before.user, after.system - before.system]
  const busiest = Math.min(1, busiestThread(before, after) / elapsed)
  return {
    ...cpuOf(user, system, (user + system) / elapsed, busiest, operations),
    pid,
    program: (commandOfProcess(pid) ?? statOf(pid)?.program ?? "unknown").slice(0, 200),
    processes: after.processes,
    threads: after.threads.size,
    cpusAllowed: cpusAllowed(pid),
    operations,
  }
}

function cpuOf(user: number, system: number, cores: number, busiest: number, operations: number): Cpu {
  const seconds = user + system
  return {
    seconds: rounded(seconds),
    user: rounded(user),
    system: rounded(system),
    cores: rounded(cores),
    busiest: rounded(busiest),
    // Of a message it may be less than a microsecond.
    perOperation: operations === 0 ? null : Number(((1000 * seconds) / operations).toPrecision(5)),
  }
}
