// status_request (RFC 6066 section 8) and signed_certificate_timestamp (RFC 6962 section 3.3),
// as RFC 9846 section 4.5.1.1 uses them: asked for in ClientHello or CertificateRequest, answered in a CertificateEntry.

import { InvalidMessage } from "../../bytes/errors.ts"
import { Reader } from "../../bytes/reader.ts"
import { type ExtensionCodec, type ExtensionRow, flag } from "./codec.ts"

const ocsp = 1

/** ClientHello: CertificateStatusRequest. We ask with no responder list and no request extensions. */
const statusWanted: ExtensionCodec<true> = {
  decode(data) {
    // A status_type that we do not know is a request that we cannot answer, not an error.
    if (data.uint8() !== ocsp) {
      data.rest()
      return true
    }
    data.vector16("responder_id_list")
    data.vector16("request_extensions")
    return true
  },
  encode: (_, data) => data.uint8(ocsp).uint16(0).uint16(0),
}

/** CertificateEntry: CertificateStatus with a DER OCSPResponse of 1 to 2^24-1 bytes. */
const certificateStatus: ExtensionCodec<Uint8Array> = {
  decode(data) {
    const type = data.uint8()
    if (type !== ocsp) throw new InvalidMessage(`certificate status is of type ${type}, which was not asked for`)
    return data.vector24("OCSPResponse", 1)
  },
  encode: (response, data) => data.uint8(ocsp).vector24(response),
}

/** CertificateEntry: a SignedCertificateTimestampList; its structure is checked, the timestamps are passed on as they are. */
const signedCertificateTimestamps: ExtensionCodec<Uint8Array> = {
  decode(data) {
    const list = data.rest()
    expectTimestampList(list)
    return list
  },
  encode: (list, data) => data.bytes(list),
}

/** @throws InvalidMessage */
export function expectTimestampList(list: Uint8Array): void {
  // RFC 6962 section 3.3: opaque SerializedSCT<1..2^16-1>, SerializedSCT sct_list<1..2^16-1>.
  const structure = new Reader(list, "signed_certificate_timestamp")
  const timestamps = new Reader(structure.vector16("sct_list", 1), "signed_certificate_timestamp.sct_list")
  structure.expectEnd()
  while (timestamps.remaining > 0) timestamps.vector16("SerializedSCT", 1)
}

export const statusRequest: ExtensionRow<{ CH: true; CT: Uint8Array; CR: true }> = {
  type: 5,
  CH: statusWanted,
  CT: certificateStatus,
  CR: flag,
}

export const signedCertificateTimestamp: ExtensionRow<{ CH: true; CT: Uint8Array; CR: true }> = {
  type: 18,
  CH: flag,
  CT: signedCertificateTimestamps,
  CR: flag,
}
