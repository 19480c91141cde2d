// What is measured in here is told to whoever keeps it: histograms outside of the core.

export interface Observer {
  /** One more value. Does not throw. */
  observe(value: number): void
}

/** What of a broker may be observed; nothing is measured that nobody observes. */
export interface Observers {
  /** Milliseconds from a PUBLISH to the moment when a copy of it was handed to a transport; of some of them: session/sampling.ts. */
  readonly delivered?: Observer | undefined
  /** Milliseconds from giving a turn to the store until that had committed it. */
  readonly committed?: Observer | undefined
  /** Messages that waited for a session, when one more had come to wait. */
  readonly queued?: Observer | undefined
}
