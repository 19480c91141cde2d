// Times of the broker's clock, and of the machine's, as texts of RFC 3339.

/** @param at milliseconds since 1970; one that no calendar has is the nearest that it has */
export function timeText(at: number): string {
  return new Date(Math.max(-62_135_596_800_000, Math.min(253_402_300_799_999, at))).toISOString()
}

/** Of a time of the broker's clock, which may be another than the machine's. */
export function brokerTime(at: number, clocks: { readonly now: () => number; readonly wall: () => number }): string {
  return timeText(Math.round(clocks.wall() + at - clocks.now()))
}
