// A list of authorities, such as a machine's trust store: a line each.

import { parseCertificate, subjectText } from "../certificate/certificate.ts"
import { attempt, isReadable, X509Error } from "../errors.ts"
import {
  type CertificateDescription,
  type DescribeOptions,
  describeCertificate,
  describeUnreadable,
  type UnreadableDescription,
} from "./describe.ts"

export interface BundleDescription {
  readonly count: number
  readonly valid: number
  readonly expired: number
  readonly unreadable: number
  readonly authorities: readonly (CertificateDescription | UnreadableDescription)[]
}

/** Each authority of a bundle as data, and as text with those first that expire first. */
export function describeBundle(
  bundle: readonly Uint8Array[],
  { now, provider, colour = false, places }: Pick<DescribeOptions, "now" | "provider" | "colour" | "places">,
): { readonly data: BundleDescription; readonly text: string } {
  const read = bundle.map((der) => attempt(() => parseCertificate(der)))
  const authorities = read.map((each, index) =>
    each instanceof X509Error
      ? describeUnreadable(bundle[index]!, each, places?.[index])
      : describeCertificate(each, now, provider),
  )
  const good = read.filter(isReadable)
  const expired = good.filter((each) => now > each.notAfter).length
  const unreadable = read.length - good.length
  const data = { count: read.length, valid: good.length - expired, expired, unreadable, authorities }
  const red = (text: string): string => (colour ? `\x1b[31m${text}\x1b[0m` : text)
  const rows = good
    .map((each) => ({ each, described: describeCertificate(each, now) }))
    .sort((a, b) => a.each.notAfter - b.each.notAfter)
    .map(({ each, described: { remaining, key } }) => {
      const left = remaining.padStart(22)
      return `  ${remaining.endsWith("left") ? left : red(left)}  ${key.padEnd(8)}  ${subjectText(each)}`
    })
  const summary = [
    `${data.count} authorities`,
    `${data.valid} not expired`,
    ...(expired > 0 ? [red(`${expired} expired`)] : []),
    ...(unreadable > 0 ? [red(`${unreadable} cannot be read`)] : []),
  ]
  const errors = authorities.flatMap((each, i) =>
    "error" in each
      ? [
          red(
            `  [${i}] ${each.place ?? `certificate ${i + 1}`}${each.subject ? `, ${each.subject},` : ""} cannot be read: ${each.error}`,
          ),
        ]
      : [],
  )
  return { data, text: `${[summary.join(", "), "", ...rows, ...errors].join("\n")}\n` }
}
