// What is checked: which handshakes, over which network, with how much of it.

/** Names and values of the Promela model: tls13.pml says what each is. */
export type Defines = Readonly<Record<string, number>>

export interface Variant {
  readonly name: string
  readonly defines: Defines
  /** Only with `--deep`: minutes. */
  readonly deep?: true
  /** Worth a compiler that takes its time. */
  readonly large?: true
}

const twoServers = { SERVERS: 2 }
const two = { CLIENTS: 2, SERVERS: 2 }
const honest = { HONEST: 1 }

export const variants: readonly Variant[] = [
  // The network carries everything, in order: both come to CONNECTED and do all that they wanted to.
  { name: "honest: certificate, KeyUpdate, close_notify", defines: { ...honest, UPDATES: 1, CLOSES: 1 } },
  { name: "honest: HelloRetryRequest, client certificate", defines: { ...honest, SERVER_GROUPS: 2, ASKS: 2 } },
  { name: "honest: client without a certificate", defines: { ...honest, ASKS: 1, SHOWS: 0 } },
  { name: "honest: compressed certificates", defines: { ...honest, ASKS: 2, COMPRESSED: 1 } },
  { name: "honest: PSK, 0-RTT taken", defines: { ...honest, PSK: 1, EARLY: 1 } },
  { name: "honest: PSK, 0-RTT refused", defines: { ...honest, PSK: 1, EARLY: 2 } },
  { name: "honest: PSK, 0-RTT and HelloRetryRequest", defines: { ...honest, PSK: 1, EARLY: 1, SERVER_GROUPS: 2 } },
  { name: "honest: psk_ke", defines: { ...honest, PSK: 1, MODES: 2 } },
  { name: "honest: ticket, then resumption", defines: { ...honest, ...two, PSK: 2 } },
  { name: "honest: late client certificate, KeyUpdate", defines: { ...honest, LATE: 1, UPDATES: 1 } },

  // The network is the attacker.
  { name: "certificate", defines: { UPDATES: 1, CLOSES: 1 }, large: true },
  { name: "certificate, two servers", defines: { ...twoServers, TAMPERS: 0, DATA: 0 } },
  { name: "certificate, two clients", defines: { ...two, TAMPERS: 0, DATA: 0 }, deep: true, large: true },
  { name: "downgrade to a group that is broken", defines: { WEAK: 2, DATA: 0 } },
  { name: "HelloRetryRequest", defines: { SERVER_GROUPS: 2 } },
  { name: "client certificate", defines: { ASKS: 2 } },
  { name: "client certificate, HelloRetryRequest", defines: { ASKS: 2, SERVER_GROUPS: 2 }, deep: true, large: true },
  { name: "late client certificate", defines: { LATE: 1, TAMPERS: 0 } },
  { name: "PSK, both modes", defines: { PSK: 1, MODES: 3, TAMPERS: 0 } },
  { name: "PSK, both modes, other suites and groups", defines: { PSK: 1, MODES: 3 }, deep: true, large: true },
  { name: "PSK, HelloRetryRequest", defines: { PSK: 1, SERVER_GROUPS: 2, TAMPERS: 0 } },
  { name: "PSK known to the attacker", defines: { PSK: 1, PSK_KNOWN: 1, TAMPERS: 0 } },
  {
    name: "0-RTT, two servers with one guard",
    defines: { ...twoServers, PSK: 1, EARLY: 1, TAMPERS: 0, DATA: 0 },
    large: true,
  },
  { name: "ticket, then resumption", defines: { ...two, PSK: 2, TAMPERS: 0, DATA: 0 }, deep: true, large: true },
  { name: "certificate; its key leaks later", defines: { LEAKS: 1, TAMPERS: 0 } },
  { name: "psk_dhe_ke; the PSK leaks later", defines: { PSK: 1, LEAKS: 1, TAMPERS: 0 } },
]
