// The parts of `npm run bench`: what each measures, and about how long it takes.

import { absentTable, measureAbsent } from "./absent.ts"
import { compareAllBrokers } from "./brokers.ts"
import { compareBundles } from "./bundle-sizes.ts"
import { compareClients } from "./clients.ts"
import { clusterTable, measureCluster } from "./cluster.ts"
import { compareColdStarts } from "./cold-start.ts"
import { commandLine } from "./command-line.ts"
import type { Pems } from "./contestants.ts"
import {
  compareInMemory,
  handshakeScenarios,
  hashScenarios,
  matrixScenarios,
  recordScenarios,
  secondsOf,
} from "./engine/scenarios.ts"
import { parseWork } from "./engine/work.ts"
import { compareHandshakes, usualHandshakePlan } from "./handshakes.ts"
import { compareIdle, idleTable } from "./idle.ts"
import { compareMemory, memoryTable } from "./memory.ts"
import { compareBrokers } from "./messages.ts"
import { measureRestart, restartTable } from "./restart.ts"
import type { Figure } from "./results.ts"
import { measureStalled, stalledTable } from "./stalled.ts"
import { compareStores } from "./stores.ts"
import { compareTransfers, usualTransferPlan } from "./transfer.ts"
import { compareValidation, validationTable } from "./x509.ts"

const rounds = 7

/** What it is, for --help, and what runs it. */
export interface Part {
  readonly help: string
  /** What a page of its figures calls it. */
  readonly title: string
  /** About, on a machine of two cores with nothing else to do. */
  readonly seconds: number
  run(pems: Pems): Promise<readonly Figure[]>
}

/** Scenarios in memory, with all subjects. @param isBrief fewer rounds, for many scenarios */
function inMemory(title: string, help: string, scenarios: readonly string[], isBrief = false): Part {
  const works = scenarios.map(parseWork)
  return {
    title,
    help,
    seconds: works.reduce((sum, work) => sum + secondsOf(work, isBrief), 0),
    async run() {
      const figures: Figure[] = []
      for (const work of works) figures.push(await compareInMemory(work, undefined, isBrief))
      return figures
    },
  }
}

export const parts: Readonly<Record<string, Part>> = {
  engine: inMemory(
    "Handshakes in memory",
    "handshakes in memory, both sides, by CPU, beside node:tls",
    handshakeScenarios,
  ),
  matrix: inMemory(
    "Groups, suites and signatures",
    "full handshakes in memory: each group with each suite and each signature, with few rounds",
    matrixScenarios,
    true,
  ),
  records: inMemory("Records", "one record sealed or opened in memory, beside node:crypto", recordScenarios),
  digests: inMemory("Digests", "SHA-256 and SHA-384 in memory, beside node:crypto", hashScenarios),
  clients: {
    title: "Clients over sockets",
    seconds: 60,
    help: "full handshakes of a client by its CPU, beside node:tls, subtls, @reclaimprotocol/tls and lemon-tls",
    run: async (pems) => [await compareClients(pems)],
  },
  handshakes: {
    title: "Servers over sockets: handshakes",
    seconds: 90,
    help: "handshakes of a server over sockets, by its CPU, beside node:tls, openssl s_server and nginx",
    run: (pems) => compareHandshakes(pems, { ...usualHandshakePlan, rounds }),
  },
  transfer: {
    title: "Servers over sockets: bulk",
    seconds: 90,
    help: "data into a server over sockets, by its CPU, beside node:tls",
    run: (pems) => compareTransfers(pems, { ...usualTransferPlan, rounds }),
  },
  broker: {
    title: "Broker: deliveries and connect storms, by its CPU",
    seconds: 680,
    help: "fan-in and fan-out at QoS 0, 1 and 2, and connect storms, by the broker's CPU, beside aedes and Mosquitto",
    run: compareAllBrokers,
  },
  messages: {
    title: "Broker: messages a second",
    seconds: 15,
    help: "MQTT messages a second over TLS, beside aedes",
    run: (pems) => compareBrokers(pems, rounds),
  },
  stores: {
    title: "Broker: store on and off",
    seconds: 60,
    help: "QoS 1 with the store in files, beside the one in memory",
    run: (pems) => compareStores(pems, rounds),
  },
  cluster: {
    title: "Broker: several nodes",
    seconds: 60,
    help: "QoS 1 through 1, 2 and 3 nodes around a nats-server, beside one broker with its store in files",
    run: async () => [clusterTable(await measureCluster())],
  },
  absent: {
    title: "Broker: sessions that are away",
    seconds: 60,
    help: "one message to 10,000 sessions that are away: hold-up and heap",
    run: async () => [absentTable(await measureAbsent())],
  },
  restart: {
    title: "Broker: start after a kill",
    seconds: 90,
    help: "a start with 1,000,000 queued messages: seconds and memory",
    run: async () => [restartTable(await measureRestart())],
  },
  memory: {
    title: "Connections held: TLS",
    seconds: 20,
    help: "memory of 1,000 idle TLS clients, beside node:tls",
    run: async (pems) => [memoryTable(await compareMemory(pems))],
  },
  idle: {
    title: "Connections held: MQTT",
    seconds: 90,
    help: "memory of 5,000 idle MQTT clients over TLS, beside aedes and Mosquitto",
    run: async (pems) => [idleTable(await compareIdle(pems))],
  },
  stalled: {
    title: "Broker: a subscriber that stops reading",
    seconds: 180,
    help: "100 subscribers beside one that stops reading for a minute",
    run: async (pems) => [stalledTable(await measureStalled(pems))],
  },
  x509: {
    title: "Certificates",
    seconds: 30,
    help: "parsing and validating a chain of certificates",
    run: async () => [validationTable(compareValidation(rounds))],
  },
  "cold-start": {
    title: "Cold start",
    seconds: 20,
    help: "imports and the first handshake of a process, beside node:tls",
    run: compareColdStarts,
  },
  bundles: {
    title: "Bundles",
    seconds: 5,
    help: "what programs carry, min+gzip: the figures of npm run size",
    run: async () => [compareBundles()],
  },
}
export const partNames: readonly string[] = Object.keys(parts)

/** What makes a figure again, on this machine or another. */
export function commandOf(part: string, figure: Figure): string {
  const scenario = "scenario" in figure ? figure.scenario : undefined
  return commandLine(scenario === undefined ? [part] : ["--scenario", scenario])
}
