/** What the broker needs of whatever it runs on, and all that it needs. */
export interface Host {
  /** Milliseconds that have passed since some moment, of a clock that neither jumps nor runs backwards. */
  passed(): number
  /** What the machine's clock says, in milliseconds since 1970, set or not. Left out: there is none. */
  wall?(): number
  /** `turn` is to be called soon, earlier than it said: a store has answered. Left out: it is called when it said. */
  soon?(): void
  /** So many bytes that nobody can guess; names of clients that bring none are made of them. They are read, not kept. */
  random(length: number): Uint8Array
}
