// Which side kept a run from being faster: a figure of a server that waited for its client is one of the client.

import { cpus as machineCpus } from "node:os"
import type { Limit, Run } from "../../measure/report.ts"
import { percent } from "../../measure/text-table.ts"
import type { ClientCpu } from "./child-side.ts"
import { countCpus } from "./processes.ts"

/** Shares of a CPU from which on a thread has nothing left. The rest is what the scheduler takes, and the edges of the reading. */
const full = 0.9
/** An event loop counts as busy while the system runs something else in its place. */
const fullLoop = 0.95
const fullMachine = 0.9

export function limitOf(
  run: Pick<Run, "client" | "server" | "machine" | "loop" | "rate" | "counts">,
  cpus: readonly ClientCpu[],
): Run["limit"] {
  const { client, server, machine, loop, rate, counts } = run
  const busiest = client.busiest ?? 0
  const loops = Math.max(...cpus.map((each) => each.loop))
  const clientFull = busiest >= full || loops >= fullLoop
  const serverFull = server !== null && isFull(server)
  const machineFull = machine !== null && machine.busy >= fullMachine
  const ofClient = `the client's busiest process used ${percent(busiest)} of a CPU and had something to do ${percent(loops)} of the time`
  const ofServer =
    server === null
      ? ""
      : `the server used ${server.cores.toFixed(2)} CPUs, its busiest thread ${percent(server.busiest ?? 0)} of one`
  const say = (side: Limit, words: string) => ({ side, words })
  if (loop.kind === "open" && rate >= 0.97 * loop.rate && counts.notBegun === 0 && !clientFull)
    return say("rate", `the rate that was asked for: the server followed; ${ofServer || ofClient}`)
  if (clientFull && serverFull)
    return say("both", `both sides: ${ofClient}; ${ofServer}${machineFull ? "; the machine had no CPU left" : ""}`)
  if (serverFull) return say("server", `the server: ${ofServer}; ${ofClient}`)
  if (machineFull && client.cores < 0.9 * machineCpus().length)
    return say(
      "machine",
      `this machine: ${percent(machine.busy)} of all its CPU time was used, so client and server (if it is here) had to wait for it; ${ofClient}${ofServer && `; ${ofServer}`}`,
    )
  if (clientFull)
    return say(
      "client",
      `the CLIENT: ${ofClient}${ofServer && `, while ${ofServer}`}. The server could do more: use --workers, --engine node, or more machines`,
    )
  if (server === null)
    return say(
      "unknown",
      `not the client (${ofClient}): the server, the network, or too few connections at once; --pid would tell the server's CPU`,
    )
  return say("waiting", `neither CPU (${ofClient}; ${ofServer}): the network, or too few connections at once`)
}

/** All the CPUs that it may use, or one thread a whole one. */
function isFull({ busiest, cores, cpusAllowed }: NonNullable<Run["server"]>): boolean {
  const allowed = cpusAllowed === null ? machineCpus().length : countCpus(cpusAllowed)
  return (busiest ?? 0) >= full || cores >= full * allowed
}
