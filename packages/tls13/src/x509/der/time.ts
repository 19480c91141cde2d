// UTCTime and GeneralizedTime as RFC 5280 sections 4.1.2.5.1 and 4.1.2.5.2 restrict them: Zulu, seconds, no fraction.
// Times are milliseconds since 1970-01-01T00:00:00Z; the core has no Date.

import { malformed } from "../errors.ts"
import type { Der } from "./der.ts"
import * as Tag from "./tags.ts"

/** Days from 1970-01-01 to a date of the proleptic Gregorian calendar. */
function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  return era * 146097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719468
}

/** Milliseconds since 1970 of a UTC date; `month` and `day` from 1. */
export function utc(year: number, month: number, day: number, hour = 0, minute = 0, second = 0): number {
  return (daysFromCivil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second) * 1000
}

const monthDays = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

function daysIn(year: number, month: number): number {
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return monthDays[month - 1]! + (leap ? 1 : 0)
}

export interface EncodedTime {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  readonly at: number
  /** RFC 5280 4.1.2.5: dates through 2049 MUST be UTCTime, later ones GeneralizedTime. */
  readonly rightForm: boolean
}

/** Reads a Time: UTCTime or GeneralizedTime. */
export function readTime(der: Der, what: string): EncodedTime {
  const short = der.peek() === Tag.utcTime
  const bytes = der.content(short ? Tag.utcTime : Tag.generalizedTime, what)
  const digits = short ? 12 : 14
  // RFC 5280 4.1.2.5.1: MUST be expressed in Greenwich Mean Time (Zulu) and MUST include seconds.
  if (bytes.length !== digits + 1 || bytes[digits] !== 0x5a)
    throw malformed(`${what} is not written as ${short ? "YYMMDDHHMMSSZ" : "YYYYMMDDHHMMSSZ"}`)
  const two = (at: number): number => {
    const high = bytes[at]! - 0x30
    const low = bytes[at + 1]! - 0x30
    if (high < 0 || high > 9 || low < 0 || low > 9) throw malformed(`${what} has a character that is not a digit`)
    return high * 10 + low
  }
  let at = 0
  let year = two(at)
  at += 2
  if (short) year += year >= 50 ? 1900 : 2000
  else {
    year = year * 100 + two(at)
    at += 2
  }
  const month = two(at)
  const day = two(at + 2)
  const hour = two(at + 4)
  const minute = two(at + 6)
  const second = two(at + 8)
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59 || second > 59) {
    throw malformed(`${what} is not a date of the calendar`)
  }
  return { at: utc(year, month, day, hour, minute, second), rightForm: short === (year < 2050 && year >= 1950) }
}

/** `2026-11-22 19:30:26 UTC` */
export function timeText(at: number): string {
  const seconds = Math.floor(at / 1000)
  const days = Math.floor(seconds / 86400)
  const inDay = seconds - days * 86400
  const shifted = days + 719468
  const era = Math.floor(shifted / 146097)
  const dayOfEra = shifted - era * 146097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36524) - Math.floor(dayOfEra / 146096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  const p = (value: number, width = 2): string => String(value).padStart(width, "0")
  const hour = Math.floor(inDay / 3600)
  return `${p(year, 4)}-${p(month)}-${p(day)} ${p(hour)}:${p(Math.floor(inDay / 60) % 60)}:${p(inDay % 60)} UTC`
}
