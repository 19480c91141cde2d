// Times of the broker's clock, and of the machine's, as texts of RFC 3339.

/** @param at milliseconds since 1970; one that no calendar has is the nearest that it has */
export function timeText(at: number): string {
  return new Date(Math.max(-62_135_596_800_000, Math.min(253_402_300_799_999, at))).toISOString()
}

/** Of a time of the broker's clock, which may be another than the machine's. */
export function brokerTime(at: number, { ahead }: { readonly ahead: () => number }): string {
  return timeText(Math.round(at + ahead()))
}

/**
 * Milliseconds that the machine's clock is ahead of the broker's. The same each time, so that a time once told stays what it is, until
 * somebody sets the machine's clock.
 */
export function aheadOf(now: () => number, wall: () => number): () => number {
  let known = wall() - now()
  return () => {
    const ahead = wall() - now()
    if (Math.abs(ahead - known) >= 1000) known = ahead
    return known
  }
}
