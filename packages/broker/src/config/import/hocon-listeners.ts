// What listeners of NanoMQ and EMQX have in common: an address, TLS, and who has to show a certificate.

import type { HoconLine } from "./hocon-lines.ts"
import type { ImportMeans } from "./means.ts"
import type { ImportedListener, ListenerKind, Outcome } from "./outcome.ts"
import { addressOf, flagOf } from "./values.ts"

/** The lines of one, by their names below it. */
export interface ListenerLines {
  /** What it is called there. */
  readonly name: string
  readonly type: ListenerKind
  readonly lines: ReadonlyMap<string, HoconLine>
}

/** Names of its lines. */
export interface TlsNames {
  readonly cert: string
  readonly key: string
  readonly keyPassword: string
  readonly ca: string
  readonly failWithout: string
}

/** Undefined: it is left out, which is said. */
export function listenerOf(
  { name, type, lines }: ListenerLines,
  outcome: Outcome,
  means: ImportMeans,
  names: TlsNames,
  /** A line that asks for certificates of clients. */
  verify: HoconLine | undefined,
): ImportedListener | undefined {
  const out = (why: string): undefined => {
    for (const { source } of lines.values()) outcome.leave(source, why)
    outcome.told.push(`the listener ${name} is not carried over: ${why}`)
    return undefined
  }
  const bind = lines.get("bind")
  const address = bind === undefined ? undefined : addressOf(bind.text)
  if (bind === undefined || address === undefined) return out("it has no address that is known here")
  if (address.port === 0) return out("its port is 0, which turns it off there")
  const hasTls = type === "tls" || type === "wss"
  const [cert, key, ca] = [names.cert, names.key, names.ca].map((each) => lines.get(each))
  if (hasTls && (cert === undefined || key === undefined)) return out("it has no certificate with a private key")
  const [failWithout, password] = [lines.get(names.failWithout), lines.get(names.keyPassword)]
  if (hasTls && verify !== undefined && ca === undefined)
    return out("it wants certificates of clients, and names no authorities that they come from")
  const listener = outcome.listener(name, type)
  listener.settings.set("host", address.host ?? "0.0.0.0", [bind.source])
  outcome.take(listener.settings, "port", bind.source, { value: address.port })
  if (address.path !== undefined && (type === "ws" || type === "wss"))
    listener.settings.set("path", address.path, [bind.source])
  if (!hasTls) return listener
  for (const [line, path] of [
    [cert, "cert"],
    [key, "key"],
  ] as const)
    if (line !== undefined)
      outcome.take(listener.settings, path, line.source, { value: means.beside(line.source.file, line.text) })
  if (password !== undefined) {
    const file = `${listener.name}-key-password`
    outcome.files.set(file, `${password.text}\n`)
    outcome.take(listener.settings, "keyPasswordFile", password.source, { value: file })
  }
  if (verify === undefined) {
    for (const line of [ca, failWithout])
      if (line !== undefined) outcome.hold(line.source, "clients are not asked for certificates, there as here")
    return listener
  }
  if (ca !== undefined)
    outcome.take(listener.settings, "ca", ca.source, { value: means.beside(ca.source.file, ca.text) })
  const value = failWithout !== undefined && flagOf(failWithout.text) === true ? "require" : "request"
  listener.settings.set("clientCertificate", value, [
    verify.source,
    ...(failWithout === undefined ? [] : [failWithout.source]),
  ])
  outcome.carry(verify.source)
  if (failWithout !== undefined) outcome.carry(failWithout.source)
  return listener
}
