// When a certificate or a list is judged: at a time, or by a device that has no clock, of which only a bound is known.

import { timeText } from "./der/time.ts"

/** Where the time is not known. */
export interface UnknownTime {
  /** Milliseconds since 1970-01-01T00:00:00Z that have surely passed: when the firmware was built, say; 0: nothing is known. */
  readonly atLeast: number
}

/** Milliseconds since 1970-01-01T00:00:00Z, or what is known instead. */
export type Moment = number | UnknownTime

/** The time, or the least that it can be. */
export function earliest(moment: Moment): number {
  return typeof moment === "number" ? moment : moment.atLeast
}

/** Whether `time` is surely still to come: never, where nobody knows how late it is. A moment that is no number is before all. */
export function isToCome(time: number, moment: Moment): boolean {
  return typeof moment === "number" && !(moment >= time)
}

/** Whether `time` has surely passed. A moment that is no number is after all. */
export function hasPassed(time: number, moment: Moment): boolean {
  return !(earliest(moment) <= time)
}

/** `it is 2026-11-22 19:30:26 UTC now`. */
export function momentText(moment: Moment): string {
  return `it is ${typeof moment === "number" ? "" : "at least "}${timeText(earliest(moment))} now`
}

/** The same moment, moved. @param by milliseconds */
export function moved(moment: Moment, by: number): Moment {
  return typeof moment === "number" ? moment + by : { atLeast: moment.atLeast + by }
}

/** Certificates say seconds: rounded down to them. */
export function inWholeSeconds(moment: Moment): Moment {
  const seconds = (time: number): number => Math.floor(time / 1000) * 1000
  return typeof moment === "number" ? seconds(moment) : { atLeast: seconds(moment.atLeast) }
}
