import { type EdDSA, eddsa, edwards } from "@noble/curves/abstract/edwards.js"
import { type MontgomeryECDH, montgomery } from "@noble/curves/abstract/montgomery.js"
import { type ECDSA, ecdsa, weierstrass } from "@noble/curves/abstract/weierstrass.js"
import { sha256, sha384, sha512 } from "@noble/hashes/sha2.js"

// The curves of @noble/curves, each made at its first use: its own modules ed25519.js and nist.js make theirs, and tables for
// hashing to curves that TLS has no use for, when they are imported, which takes longer than a handshake with `fast`. What is
// ours here are the parameters, which curves.test.ts compares with noble's.

/** SEC 2 and FIPS 186-5 (NIST SP 800-186 section 3.2.1.3). */
export const nobleP256: () => ECDSA = /* @__PURE__ */ once(() =>
  ecdsa(
    weierstrass({
      p: 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn,
      n: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
      h: 1n,
      a: 0xffffffff00000001000000000000000000000000fffffffffffffffffffffffcn,
      b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
      Gx: 0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
      Gy: 0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
    }),
    sha256,
  ),
)

/** NIST SP 800-186 section 3.2.1.4. */
export const nobleP384: () => ECDSA = /* @__PURE__ */ once(() =>
  ecdsa(
    weierstrass({
      p: 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffffn,
      n: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
      h: 1n,
      a: 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000fffffffcn,
      b: 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn,
      Gx: 0xaa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7n,
      Gy: 0x3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5fn,
    }),
    sha384,
  ),
)

/** NIST SP 800-186 section 3.2.1.5. */
export const nobleP521: () => ECDSA = /* @__PURE__ */ once(() =>
  ecdsa(
    weierstrass({
      p: 2n ** 521n - 1n,
      n: 0x1fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
      h: 1n,
      a: 2n ** 521n - 4n,
      b: 0x51953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00n,
      Gx: 0xc6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dbaa14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66n,
      Gy: 0x11839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e662c97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd16650n,
    }),
    sha512,
  ),
)

/** 2^255 - 19, the prime of RFC 7748 section 4.1 and RFC 8032 section 5.1. */
const prime25519 = 0x7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffedn

/** RFC 8032 section 5.1. */
export const nobleEd25519: () => EdDSA = /* @__PURE__ */ once(() =>
  eddsa(
    edwards({
      p: prime25519,
      n: 0x1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3edn,
      h: 8n,
      a: prime25519 - 1n,
      d: 0x52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3n,
      Gx: 0x216936d3cd6e53fec0a4e231fdd6dc5c692cc7609525a7b2c9562d608f25d51an,
      Gy: 0x6666666666666666666666666666666666666666666666666666666666666658n,
    }),
    sha512,
    { adjustScalarBytes: clamped },
  ),
)

/** RFC 7748 section 5, by the ladder for the base point too: a table of its multiples costs more than a handshake. */
export const nobleX25519: () => MontgomeryECDH = /* @__PURE__ */ once(() =>
  montgomery({ P: prime25519, type: "x25519", adjustScalarBytes: clamped, powPminus2: inverse25519 }),
)

/** decodeScalar25519 of RFC 7748 section 5; the same bits in RFC 8032 section 5.1.5. In place. */
function clamped(bytes: Uint8Array): Uint8Array {
  bytes[0]! &= 248
  bytes[31]! &= 127
  bytes[31]! |= 64
  return bytes
}

/** x^(p - 2) modulo p = 2^255 - 19, which is 1/x: the exponent in binary is 250 ones and 01011. */
function inverse25519(x: bigint): bigint {
  const squared = (value: bigint, times: number): bigint => {
    let result = value
    for (let i = 0; i < times; i++) result = (result * result) % prime25519
    return result
  }
  /** From x^(2^a - 1) and x^(2^b - 1) to x^(2^(a+b) - 1). */
  const joined = (ones: bigint, more: bigint, count: number): bigint => (squared(ones, count) * more) % prime25519
  const ones2 = joined(x, x, 1)
  const ones4 = joined(ones2, ones2, 2)
  const ones5 = joined(ones4, x, 1)
  const ones10 = joined(ones5, ones5, 5)
  const ones20 = joined(ones10, ones10, 10)
  const ones40 = joined(ones20, ones20, 20)
  const ones50 = joined(ones40, ones10, 10)
  const ones100 = joined(ones50, ones50, 50)
  const ones200 = joined(ones100, ones100, 100)
  const ones250 = joined(ones200, ones50, 50)
  // 01011: three places for 010 and a one, then two more ones.
  return (squared((squared(ones250, 2) * x) % prime25519, 3) * ones2) % prime25519
}

/** What is asked for is made at the first call. */
export function once<Value>(make: () => Value): () => Value {
  let made: Value | undefined
  return () => {
    made ??= make()
    return made
  }
}
