// What an alert of the peer means, and who it is that does not speak TLS: for whoever reads the log.

import type { AlertName } from "../bytes/alerts.ts"
import { notTls } from "../record/not-tls.ts"
import { peerAlert } from "./peer-alert.ts"
import type { Explanations } from "./settings.ts"

export const explanations: Explanations = {
  alertMeaning: (name) => (meanings as Readonly<Record<string, string>>)[name],
  notTls,
  /**
   * A client that gives up over what ServerHello's flight says may well send its alert so: OpenSSL's takes its keys into use with
   * its own flight only. Nothing proves that it is the client's; the connection would end as well if it were not believed, and
   * what is sent is the same: unexpected_message (section 5), so that whoever forged it learns nothing and gains nothing but the
   * end, which a byte of garbage gives him too.
   */
  alertInTheClear(name) {
    const how = " (it came in the clear, so anybody on the path can have sent it)"
    return peerAlert("server", name, explanations, how, "unexpected_message")
  },
}

/** Of those that a person can do something about. */
const meanings: Readonly<Partial<Record<AlertName, string>>> = {
  unknown_ca:
    "does not trust our certificate: it knows no authority that issued it; give it that authority's certificate, or send the intermediates that it misses",
  bad_certificate: "refuses our certificate: it is for another name, or breaks a rule",
  unsupported_certificate: "refuses our certificate: it cannot use one of its kind",
  certificate_revoked: "does not trust our certificate: its authority has revoked it",
  certificate_expired:
    "does not trust our certificate: it has expired or is not valid yet; if it is, the peer's clock is wrong",
  certificate_unknown: "does not trust our certificate, for a reason that it does not tell",
  certificate_required: "wants a certificate, and we showed none",
  access_denied: "took our certificate, and lets us do nothing with it",
  bad_certificate_status_response: "does not accept the OCSP response that is stapled to our certificate",
  handshake_failure: "has nothing in common with us, or could not agree",
  protocol_version: "does not speak TLS 1.3, the only version here",
  insufficient_security: "wants parameters that are more secure",
  no_application_protocol: "speaks none of our application protocols",
  unrecognized_name: "knows nobody of the name that was asked for",
  unknown_psk_identity: "does not know the pre-shared key",
  decrypt_error: "could not verify a signature or a Finished, or a pre-shared key is another",
}
