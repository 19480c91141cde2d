/** Milliseconds of a clock that all processes of a machine share (CLOCK_MONOTONIC), with their fractions. */
export function sharedNow(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
