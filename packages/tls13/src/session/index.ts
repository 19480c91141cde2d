// Entry point ./session: what remembers sessions and keys. The core sees only the interfaces; take what you use.

export { MemorySessionStore, type MemorySessionStoreOptions } from "./client-store.ts"
export {
  CookieKeyRing,
  type CookieKeyRingOptions,
  DerivedCookieKeys,
  type DerivedCookieKeysOptions,
} from "./cookie-keys.ts"
export type { SharedSecret } from "./derived-keys.ts"
export type { SealingKey } from "./key-ring.ts"
export {
  decodeImportedIdentity,
  encodeImportedIdentity,
  type ImportedIdentity,
  type ImportOptions,
  importPsk,
  KdfIdentifier,
} from "./psk-importer.ts"
export { MemoryPskStore } from "./psk-store.ts"
export { MemoryReplayGuard, type MemoryReplayGuardOptions } from "./replay-guard.ts"
export type {
  ClientSession,
  ClientSessionStore,
  CookieSealer,
  ExternalPsk,
  ExternalPskStore,
  ReplayGuard,
  ServerSession,
  SessionParameters,
  Ticketer,
} from "./session.ts"
export {
  DerivedTicketKeys,
  type DerivedTicketKeysOptions,
  type TicketKey,
  TicketKeyRing,
  type TicketKeyRingOptions,
} from "./ticket-keys.ts"
export { MemoryTicketStore, type MemoryTicketStoreOptions } from "./ticket-store.ts"
