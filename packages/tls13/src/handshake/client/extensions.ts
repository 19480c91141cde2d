// The extensions that a client knows: those of every client, and those of its features (`ClientFeatures`).

import { applicationLayerProtocolNegotiation } from "../../codec/extensions/alpn.ts"
import { supportedGroups } from "../../codec/extensions/code-point-list.ts"
import { type ExtensionRows, type ExtensionTable, extensionTable } from "../../codec/extensions/codec.ts"
import { cookie } from "../../codec/extensions/cookie.ts"
import { keyShareOfClient } from "../../codec/extensions/key-share.ts"
import { recordSizeLimit } from "../../codec/extensions/record-size-limit.ts"
import { serverNameOfClient } from "../../codec/extensions/server-name.ts"
import { supportedVersions } from "../../codec/extensions/supported-versions.ts"
import type { ClientFeatures } from "./client.ts"

export function extensionsOf(
  features: ClientFeatures & { readonly encryptedClientHello?: { readonly extensions: ExtensionRows } | undefined },
): ExtensionTable {
  const rows: ExtensionTable["rows"] = {
    server_name: serverNameOfClient,
    supported_groups: supportedGroups,
    application_layer_protocol_negotiation: applicationLayerProtocolNegotiation,
    record_size_limit: recordSizeLimit,
    supported_versions: supportedVersions,
    cookie,
    key_share: keyShareOfClient,
  }
  const added = Object.values(features).map((feature) => (feature && "extensions" in feature ? feature.extensions : {}))
  return extensionTable(Object.assign(rows, ...added))
}
