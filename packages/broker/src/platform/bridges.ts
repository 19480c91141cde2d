// The bridges of a broker, as its configuration says.

import { type BridgePeers, bridgeIds } from "../access/bridge-access.ts"
import { TopicMap } from "../bridge/topics.ts"
import { bridgePlace } from "../config/bridge-place.ts"
import { type BridgeConfig, ConfigError } from "../config/config.ts"
import { openLink } from "../embed/byte-link.ts"
import type { Broker } from "../hub/broker.ts"
import type { OnFault } from "../listen/boundary.ts"
import type { BridgeView } from "../ports/bridges.ts"
import type { BridgeEvent } from "../ports/events.ts"
import { NodeBridge, type NodeBridgeOptions } from "./node-bridge.ts"

export interface BridgesNeeds {
  readonly broker: Broker
  readonly peers: BridgePeers
  readonly now: () => number
  /** Does it soon, and not within this call. */
  readonly soon: (work: () => void) => void
  readonly origin: string
  readonly onEvent: (event: BridgeEvent) => void
  readonly onFault: OnFault
}

export class Bridges {
  readonly #all: readonly NodeBridge[]
  readonly #configs: readonly BridgeConfig[]
  readonly #broker: Broker

  /** Throws ConfigError. */
  constructor(configs: readonly BridgeConfig[], needs: BridgesNeeds) {
    this.#configs = configs
    this.#broker = needs.broker
    this.#all = configs.map((config, index) => makeBridge(config, `bridges[${index}]`, needs))
  }

  /**
   * Their sessions are here, before anybody can publish what is to wait in them. Rejects with ConfigError when a certificate or key
   * cannot be used.
   */
  async open(): Promise<void> {
    for (const bridge of this.#all) await bridge.open()
  }

  /** They connect. */
  start(): void {
    for (const bridge of this.#all) bridge.start()
  }

  stop(): void {
    for (const bridge of this.#all) bridge.stop()
  }

  get views(): readonly BridgeView[] {
    return this.#all.map(({ view }, index) => ({
      ...view,
      address: this.#configs[index]?.address ?? "",
      waiting: this.#broker.waitingFor(`${bridgeIds}${view.name}`),
    }))
  }
}

function makeBridge(config: BridgeConfig, where: string, needs: BridgesNeeds): NodeBridge {
  const { broker, peers, now } = needs
  const peer = peers.make(config.name)
  const staleFilters = (clientId: string, wanted: ReadonlySet<string>) =>
    broker.filtersOf(clientId).filter((filter) => !wanted.has(filter))
  const options = optionsOf(config, where)
  const maximumInflight = Math.min(options.maximumInflight, broker.limits.receiveMaximum)
  return new NodeBridge({ ...options, maximumInflight }, `${bridgeIds}${config.name}`, {
    ...needs,
    random: Math.random,
    openLocal: (changed) => openLink((sink) => broker.accept(peer, sink, now()), now, changed),
    staleFilters,
    maximumPacketSize: () => broker.limits.maximumPacketSize,
  })
}

/** Throws ConfigError. */
function optionsOf(config: BridgeConfig, where: string): NodeBridgeOptions {
  const { name, version = "5.0", ca, cert, key, serverName, alpn, pskIdentity: identity, psk } = config
  try {
    const place = bridgePlace(config.address)
    for (const direction of ["out", "in"] as const) new TopicMap(config.topics, direction)
    return {
      name,
      place,
      tls: { ca, cert, key, serverName, alpn, ...(identity && psk && { psk: { identity, key: psk } }) },
      clientId: config.clientId ?? `puremq-${name}`,
      version: version === "5.0" ? 5 : 4,
      username: config.username,
      password: config.password,
      keepAlive: config.keepAlive ?? 60,
      sessionExpiry: config.sessionExpiry ?? 604_800,
      maximumInflight: config.maximumInflight ?? 100,
      attempts: config.maximumAttempts ?? 10,
      topics: config.topics,
      retryMinimum: config.retryMinimum ?? 1000,
      retryMaximum: config.retryMaximum ?? 60_000,
    }
  } catch (error) {
    throw new ConfigError(`${where}: ${error instanceof Error ? error.message : String(error)}`)
  }
}
