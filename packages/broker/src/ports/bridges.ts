// What a broker says of a bridge of its own: for metrics and the admin API.

export interface BridgeView {
  readonly name: string
  /** Where the other broker is, as the configuration has it. */
  readonly address: string
  /** Both brokers have let it in. */
  readonly connected: boolean
  /** When the connection of now, or the last one, came about; milliseconds of the broker's clock. Undefined: there was none. */
  readonly since: number | undefined
  /** Messages that the receiving broker has taken. */
  readonly handedOn: { readonly out: number; readonly in: number }
  /** Those that were not handed on and will not be, by why. */
  readonly dropped: { readonly out: Readonly<Record<string, number>>; readonly in: Readonly<Record<string, number>> }
  /** Messages of QoS 1 and 2 at this broker that the other one has not acknowledged. */
  readonly waiting: number
  /** Connections that have ended, or did not come about. */
  readonly failures: number
  /** The last of these. */
  readonly lastFailure: { readonly at: number; readonly reason: string } | undefined
}
