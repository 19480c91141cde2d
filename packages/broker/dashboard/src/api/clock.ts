// The broker's clock, by the Date of its answers (RFC 9110 section 6.6.1): what happened is told by that one, and the one of who
// looks may be minutes off.

/** Milliseconds that differ for other reasons: Date has whole seconds, and answers take their time. */
const tolerance = 2000

/** Milliseconds that the broker's clock is ahead. */
let ahead = 0

/** @param date the field of an answer that has just come @param now milliseconds since 1970, by the clock of who looks */
export function hearClock(date: string | null, now: number = Date.now()): void {
  const said = Date.parse(date ?? "")
  if (Number.isNaN(said)) return
  const found = said + 500 - now
  if (Math.abs(found - ahead) > tolerance) ahead = Math.abs(found) > tolerance ? found : 0
}

/** Milliseconds since 1970, by the broker's clock. */
export function brokersTime(now: number = Date.now()): number {
  return now + ahead
}
