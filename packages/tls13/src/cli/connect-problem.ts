// Why there is no connection to a server: what, where and what to do, in one line.

import { EncryptedClientHelloRejected } from "../ech/index.ts"
import { toBase64 } from "../x509/der/pem.ts"
import { reasonOf } from "./arguments.ts"

/** @param where `HOST:PORT` */
export function connectProblem(error: Error & { readonly code?: string }, where: string): string {
  if (error instanceof EncryptedClientHelloRejected)
    return `${where}: ${error.message}${error.retryConfigs ? `: --ech ${toBase64(error.retryConfigs)}` : " --ech"}`
  if ("kind" in error)
    return `${where}: ${error.message}${error.kind === "Closed" ? "; is it a server that speaks TLS 1.3?" : ""}`
  const remedy = error.code === undefined ? undefined : remedies[error.code]
  return `cannot connect to ${where}: ${reasonOf(error)}${remedy === undefined ? "" : `; ${remedy}`}`
}

const remedies: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'check host and port, or start a server ("tls13 serve")',
  ECONNRESET: "check host and port: is it a server that speaks TLS?",
  ENOTFOUND: "check the name",
  EAI_AGAIN: "check the network, or give an address",
  ETIMEDOUT: "check host and port, and whether a firewall is in between",
  EHOSTUNREACH: "check host and network",
  ENETUNREACH: "check host and network",
}
