import type { SignatureAlgorithm } from "../provider.ts"
import { rsaPkcs1 } from "../rsa/pkcs1.ts"
import { rsaPss } from "../rsa/pss.ts"
import { sha256, sha384, sha512 } from "./hash.ts"

// RSA of our own (crypto/rsa) with noble's hashes: noble has no RSA, and RFC 9846 section 9.1 makes it mandatory.

export const rsaPssSha256: SignatureAlgorithm = /* @__PURE__ */ rsaPss(sha256)
export const rsaPssSha384: SignatureAlgorithm = /* @__PURE__ */ rsaPss(sha384)
export const rsaPssSha512: SignatureAlgorithm = /* @__PURE__ */ rsaPss(sha512)
export const rsaPkcs1Sha256: SignatureAlgorithm = /* @__PURE__ */ rsaPkcs1(sha256)
export const rsaPkcs1Sha384: SignatureAlgorithm = /* @__PURE__ */ rsaPkcs1(sha384)
export const rsaPkcs1Sha512: SignatureAlgorithm = /* @__PURE__ */ rsaPkcs1(sha512)
