// What the options of node:tls say, as the configuration of the core's server connections.

import { Misuse } from "../../bytes/errors.ts"
import { createServerConfig, type ServerConfig } from "../../connection/config.ts"
import type { ServerOptions } from "../../handshake/options.ts"
import { withDefaults } from "../../handshake/settings.ts"
import { MemoryPskStore } from "../../session/psk-store.ts"
import type { ReplayGuard } from "../../session/session.ts"
import { commonOptions, externalPsk } from "./options.ts"
import type { SecureContext } from "./secure-context.ts"
import type { ServerCredentials } from "./server-credentials.ts"
import type { TlsServerOptions } from "./server-options.ts"
import type { TicketRing } from "./ticket-ring.ts"
import { certificateTypes, createVerification, type Verification } from "./verification.ts"
import { offloadedCredentials, offloadedProvider } from "./workers/offload.ts"
import type { HandshakeWorkers } from "./workers/pool.ts"
import { offloadedAuthentication } from "./workers/verify.ts"

/** What a server has for all of its handshakes, whatever certificates it shows. */
export interface ServerParts {
  readonly credentials: ServerCredentials
  readonly tickets: TicketRing | undefined
  readonly replayGuard: ReplayGuard
  readonly workers: HandshakeWorkers | undefined
}

/** @throws Misuse */
export function serverConfig(
  context: SecureContext,
  options: TlsServerOptions,
  parts: ServerParts,
): { readonly config: ServerConfig; readonly verification: Verification | undefined } {
  const verification = options.requestCert
    ? createVerification(context, {
        ...options,
        role: "client",
        serverName: undefined,
        checkServerIdentity: undefined,
      })
    : undefined
  const psks = (options.externalPsks ?? []).map(externalPsk)
  const { earlyData, sessionTimeout, tickets, preference } = options
  const replayGuard = earlyData?.replayGuard ?? parts.replayGuard
  const hasCredentials = context.credentials.length > 0 || options.credentials || options.SNICallback
  const hasPsks = psks.length > 0 || options.pskCallback !== undefined
  if (!hasCredentials && !hasPsks)
    throw new Misuse("a TLS server needs `cert` and `key` (or `SNICallback`, or `externalPsks`)")
  const { workers } = parts
  const trust = options.verifier === undefined ? () => context.trust : undefined
  const authentication =
    workers && verification && offloadedAuthentication(context.provider, verification.verifier, trust, workers)
  const offloaded = workers && offloadedProvider(context.provider, workers)
  const provider = offloaded
    ? { ...offloaded, ...(authentication && { signatures: authentication.signatures }) }
    : context.provider
  const credentials = workers === undefined ? parts.credentials : offloadedCredentials(parts.credentials, workers)
  const usual = {
    ...commonOptions(options, context),
    provider,
    credentials: hasCredentials ? credentials : undefined,
    clientAuthentication: verification && {
      mode: authenticationMode(options),
      verifier: authentication?.verifier ?? verification.verifier,
      authorities: context.ownTrust ? context.trust.anchors.map(({ subject }) => subject.der) : undefined,
    },
    certificateTypes: certificateTypes("server", context, options),
    ticketer: parts.tickets,
    tickets,
    ticketLifetime: sessionTimeout,
    resumptionPartition: options.resumptionPartition ?? verification?.partition ?? "clients without certificates",
    externalPsks: hasPsks ? new MemoryPskStore(psks) : undefined,
    earlyData: earlyData && { ...earlyData, replayGuard },
    preference,
  } satisfies ServerOptions
  return { config: createServerConfig(withDefaults(options.core ?? {}, usual)), verification }
}

function authenticationMode({ requestCert, rejectUnauthorized = true }: TlsServerOptions) {
  if (requestCert === "post-handshake") return requestCert
  return rejectUnauthorized && requestCert !== "optional" ? "require" : "request"
}
