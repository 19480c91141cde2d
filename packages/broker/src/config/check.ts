// Checks what is unknown against the option table. Every error is one line with the place in it.

import type { Features } from "../session/features.ts"
import type { Limits } from "../session/limits.ts"
import { ConfigError, type ServerReferenceConfig, type TlsListenerConfig, type WssListenerConfig } from "./config.ts"
import type { FileConfig } from "./file-config.ts"
import { checkNeeds, checkObject, UnknownOption } from "./schema/group.ts"
import { featureOptions, limitOptions } from "./schema/limits.ts"
import { listenerParts } from "./schema/listener.ts"
import { type Nameable, nameProblem, namesOfListeners, refuseTwins } from "./schema/listener-names.ts"
import { everyOption, type Rows } from "./schema/option.ts"
import { options, serverReferenceOptions } from "./schema/options.ts"
import { itemOf } from "./schema/path.ts"
import { meantAnywhere, meantHere, namedAnywhere, unknownText } from "./schema/suggestions.ts"

/** The names of listeners, given or not. Throws ConfigError for one that is none, or that two have. */
export function checkedNames(listeners: readonly Nameable[]): readonly string[] {
  listeners.forEach(({ name }, index) => {
    const problem = name === undefined ? undefined : nameProblem(name)
    if (problem !== undefined) throw new ConfigError(`listeners[${index}].name is no name of a listener: ${problem}`)
  })
  refuseTwins(listeners, (index) => itemOf("listeners", index))
  return namesOfListeners(listeners)
}

/** A configuration file. Throws ConfigError. @param table for a test, another than the broker's */
export function checkFileConfig(value: unknown, table: Rows<FileConfig> = options): FileConfig {
  try {
    return checkObject<FileConfig>(table)(value, "")
  } catch (error) {
    if (!(error instanceof UnknownOption)) throw error
    const { where, option, known } = error
    const all = everyOption(table)
    // A name that is right elsewhere is no slip of the hand.
    const isElsewhere = all.some(({ path }) => path.at(-1) === option)
    const meant = isElsewhere ? undefined : meantHere(option, known)
    // What only looks like it in another group is no help to who is at the right one.
    const [group] = where.split(/[.[]/)
    const near = where === option ? all : all.filter(({ path }) => path[0] === group)
    const far = namedAnywhere(option, all) ?? meantAnywhere(option, near)
    throw new ConfigError(unknownText(where, meant ?? far, known), where)
  }
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
