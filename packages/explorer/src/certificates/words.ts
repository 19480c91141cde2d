// What the rules of a path ask for, and the names of object identifiers, for people.

const reasons: Readonly<Record<string, string>> = {
  key_usage: "its keyUsage lets it sign",
  not_a_ca: "it may issue certificates",
  path_too_long: "no more authorities stand below it than it allows",
  profile_violation: "what the profile wants of its form is kept",
  unknown_critical_extension: "no critical extension of it is unknown here",
  not_yet_valid: "it is valid already",
  expired: "it has not expired",
  extended_key_usage: "its extKeyUsage is for servers",
  name_constraints: "the names below it are those that it may issue for",
  bad_signature: "its signature was made with the key of the one above it",
  unknown_issuer: "it leads to an authority that is trusted",
  policy: "its policies are those that are wanted",
  name_mismatch: "it is for the name that the client wants",
  no_names: "it has a name to compare with",
}

/** What is true when the rule is kept. */
export function reasonWords(reason: string): string {
  return reasons[reason] ?? reason.replaceAll("_", " ")
}

const names: Readonly<Record<string, string>> = {
  "2.5.4.3": "commonName",
  "2.5.29.14": "subjectKeyIdentifier",
  "2.5.29.15": "keyUsage",
  "2.5.29.17": "subjectAltName",
  "2.5.29.19": "basicConstraints",
  "2.5.29.35": "authorityKeyIdentifier",
  "2.5.29.37": "extKeyUsage",
  "1.2.840.10045.2.1": "ecPublicKey",
  "1.2.840.10045.3.1.7": "prime256v1",
  "1.3.132.0.34": "secp384r1",
  "1.2.840.10045.4.3.2": "ecdsa-with-SHA256",
  "1.2.840.10045.4.3.3": "ecdsa-with-SHA384",
  "1.3.101.112": "Ed25519",
  "1.3.6.1.5.5.7.3.1": "serverAuth",
  "1.3.6.1.5.5.7.3.2": "clientAuth",
}

/** `subjectAltName (2.5.29.17)`; undefined for one that is not known, or for what is none. */
export function oidName(value: string): string | undefined {
  const name = names[value]
  return name && `${name} (${value})`
}
