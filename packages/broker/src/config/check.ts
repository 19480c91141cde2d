// Checks what is unknown against the option table. Every error is one line with the place in it.

import type { Features } from "../session/features.ts"
import type { Limits } from "../session/limits.ts"
import type { ServerReferenceConfig, TlsListenerConfig, WssListenerConfig } from "./config.ts"
import type { FileConfig } from "./file-config.ts"
import { checkNeeds, checkObject } from "./schema/group.ts"
import { featureOptions, limitOptions } from "./schema/limits.ts"
import { listenerParts } from "./schema/listener.ts"
import type { Rows } from "./schema/option.ts"
import { options, serverReferenceOptions } from "./schema/options.ts"

/** A configuration file. Throws ConfigError. @param table for a test, another than the broker's */
export function checkFileConfig(value: unknown, table: Rows<FileConfig> = options): FileConfig {
  return checkObject<FileConfig>(table)(value, "")
}

/** Throws ConfigError for a feature that does not exist or a value it cannot have. */
export function checkFeatures(value: unknown): Partial<Features> {
  return checkObject<Partial<Features>>(featureOptions)(value, "features")
}

/** Throws ConfigError for a reference that is none. */
export function checkServerReference(value: unknown): ServerReferenceConfig {
  return checkObject<ServerReferenceConfig>(serverReferenceOptions)(value, "serverReference")
}

/** Throws ConfigError for a limit that does not exist or a value it cannot have. */
export function checkLimits(value: unknown): Partial<Limits> {
  return checkObject<Record<string, number>>(limitOptions)(value, "limits")
}

/** Throws ConfigError for options of client certificates that do not fit together. */
export function checkClientCertificates(listener: TlsListenerConfig | WssListenerConfig, where: string): void {
  checkNeeds(listenerParts.tls.rows, new Map(Object.entries(listener)), where)
}
