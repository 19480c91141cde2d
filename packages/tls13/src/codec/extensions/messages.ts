// What may stand in the messages that have extensions (RFC 9846 section 4.3): made of the table's rows.

import type { MessageWithExtensions, ValueIn } from "./codec.ts"
import type { Extensions } from "./table.ts"

/** Those of a message: each may be there or not; undefined is not there. */
type ExtensionsIn<M extends MessageWithExtensions> = {
  readonly [Name in keyof Extensions as M extends keyof Extensions[Name] ? Name : never]?:
    | ValueIn<Extensions[Name], M>
    | undefined
}

/** CH. pre_shared_key stands last, as it must on the wire (section 4.3.11). */
export interface ClientHelloExtensions extends ExtensionsIn<"CH"> {}
/** SH */
export interface ServerHelloExtensions extends ExtensionsIn<"SH"> {}
/** HRR */
export interface HelloRetryRequestExtensions extends ExtensionsIn<"HRR"> {}
/** EE */
export interface EncryptedExtensionsExtensions extends ExtensionsIn<"EE"> {}
/** CT: those of one CertificateEntry */
export interface CertificateEntryExtensions extends ExtensionsIn<"CT"> {}
/** CR */
export interface CertificateRequestExtensions extends ExtensionsIn<"CR"> {}
/** NST */
export interface NewSessionTicketExtensions extends ExtensionsIn<"NST"> {}

export interface MessageExtensions {
  readonly CH: ClientHelloExtensions
  readonly SH: ServerHelloExtensions
  readonly HRR: HelloRetryRequestExtensions
  readonly EE: EncryptedExtensionsExtensions
  readonly CT: CertificateEntryExtensions
  readonly CR: CertificateRequestExtensions
  readonly NST: NewSessionTicketExtensions
}
