import { type EdDSA, eddsa, edwards } from "@noble/curves/abstract/edwards.js"
import { Field } from "@noble/curves/abstract/modular.js"
import { type MontgomeryECDH, montgomery } from "@noble/curves/abstract/montgomery.js"
import { type ECDSA, ecdsa, weierstrass } from "@noble/curves/abstract/weierstrass.js"
import { sha256, sha384, sha512 } from "@noble/hashes/sha2.js"
import { shake256 } from "@noble/hashes/sha3.js"
import { concatBytes } from "../../bytes/concat.ts"
import { asciiToBytes } from "../../bytes/text.ts"
import type { BrainpoolCurve } from "../keys.ts"
import { once } from "../noble/curves.ts"
import { powModPublic } from "../rsa/integers.ts"

// Curves that few peers have, on @noble/curves, each made at its first use. Its own module ed448.js makes its curves, and tables
// for hashing to them, when it is imported, and of RFC 5639 it has two of three: the parameters are ours, which curves.test.ts
// compares with noble's and OpenSSL's.

/** 2^448 - 2^224 - 1, the prime of RFC 7748 section 4.2 and RFC 8032 section 5.2. */
const prime448 = 2n ** 448n - 2n ** 224n - 1n

/** RFC 7748 section 5, by the ladder for the base point too. */
export const nobleX448: () => MontgomeryECDH = /* @__PURE__ */ once(() =>
  montgomery({
    P: prime448,
    type: "x448",
    adjustScalarBytes: clamped,
    // Fermat: 1/x. The exponent is public.
    powPminus2: (x) => powModPublic(x, prime448 - 2n, prime448),
  }),
)

/** RFC 8032 section 5.2; in encodings, numbers have 57 bytes. */
export const nobleEd448: () => EdDSA = /* @__PURE__ */ once(() => {
  const n = 2n ** 446n - 13818066809895115352007386748515426880336692474882178609894547503885n
  const curve = edwards(
    {
      p: prime448,
      n,
      h: 4n,
      a: 1n,
      d: prime448 - 39081n,
      Gx: 0x4f1970c66bed0ded221d15a622bf36da9e146570470f1767ea6de324a3d3a46412ae1af72ab66511433b80e18b00938e2626a82bc70cc05en,
      Gy: 0x693f46716eb6bc248876203756c9c7624bea73736ca3984087789c1e05a0c2d73ad3ff1ce67c39c4fdbd132c4ed7c8ad9808795bf230fa14n,
    },
    { Fp: Field(prime448, { BITS: 456, isLE: true }), Fn: Field(n, { BITS: 456, isLE: true }) },
  )
  return eddsa(curve, shake256of114, { adjustScalarBytes: clamped, domain: (message: Uint8Array) => dom4(message) })
})

/** The hash of Ed448: SHAKE256 with 114 bytes (RFC 8032 section 5.2). */
export function shake256of114(message: Uint8Array): Uint8Array {
  return shake256(message, { dkLen: 114 })
}

/** dom4 of RFC 8032 section 2 for Ed448 without a context, and what comes after it. */
export function dom4(...parts: readonly Uint8Array[]): Uint8Array {
  return concatBytes(asciiToBytes("SigEd448"), new Uint8Array(2), ...parts)
}

/** decodeScalar448 of RFC 7748 section 5; RFC 8032 section 5.2.5 has one byte more, which is zero. In place. */
function clamped(bytes: Uint8Array): Uint8Array {
  bytes[0]! &= 252
  bytes[55]! |= 128
  if (bytes.length > 56) bytes[56] = 0
  return bytes
}

/** RFC 5639 section 3.4. */
export const nobleBrainpoolP256r1: () => ECDSA = /* @__PURE__ */ once(() =>
  ecdsa(
    weierstrass({
      p: 0xa9fb57dba1eea9bc3e660a909d838d726e3bf623d52620282013481d1f6e5377n,
      n: 0xa9fb57dba1eea9bc3e660a909d838d718c397aa3b561a6f7901e0e82974856a7n,
      h: 1n,
      a: 0x7d5a0975fc2c3057eef67530417affe7fb8055c126dc5c6ce94a4b44f330b5d9n,
      b: 0x26dc5c6ce94a4b44f330b5d9bbd77cbf958416295cf7e1ce6bccdc18ff8c07b6n,
      Gx: 0x8bd2aeb9cb7e57cb2c4b482ffc81b7afb9de27e1e3bd23c23a4453bd9ace3262n,
      Gy: 0x547ef835c3dac4fd97f8461a14611dc9c27745132ded8e545c1d54c72f046997n,
    }),
    sha256,
  ),
)

/** RFC 5639 section 3.6. */
export const nobleBrainpoolP384r1: () => ECDSA = /* @__PURE__ */ once(() =>
  ecdsa(
    weierstrass({
      p: 0x8cb91e82a3386d280f5d6f7e50e641df152f7109ed5456b412b1da197fb71123acd3a729901d1a71874700133107ec53n,
      n: 0x8cb91e82a3386d280f5d6f7e50e641df152f7109ed5456b31f166e6cac0425a7cf3ab6af6b7fc3103b883202e9046565n,
      h: 1n,
      a: 0x7bc382c63d8c150c3c72080ace05afa0c2bea28e4fb22787139165efba91f90f8aa5814a503ad4eb04a8c7dd22ce2826n,
      b: 0x04a8c7dd22ce28268b39b55416f0447c2fb77de107dcd2a62e880ea53eeb62d57cb4390295dbc9943ab78696fa504c11n,
      Gx: 0x1d1c64f068cf45ffa2a63a81b7c13f6b8847a3e77ef14fe3db7fcafe0cbd10e8e826e03436d646aaef87b2e247d4af1en,
      Gy: 0x8abe1d7520f9c2a45cb1eb8e95cfd55262b70b29feec5864e19c054ff99129280e4646217791811142820341263c5315n,
    }),
    sha384,
  ),
)

/** RFC 5639 section 3.7. */
export const nobleBrainpoolP512r1: () => ECDSA = /* @__PURE__ */ once(() =>
  ecdsa(
    weierstrass({
      p: 0xaadd9db8dbe9c48b3fd4e6ae33c9fc07cb308db3b3c9d20ed6639cca703308717d4d9b009bc66842aecda12ae6a380e62881ff2f2d82c68528aa6056583a48f3n,
      n: 0xaadd9db8dbe9c48b3fd4e6ae33c9fc07cb308db3b3c9d20ed6639cca70330870553e5c414ca92619418661197fac10471db1d381085ddaddb58796829ca90069n,
      h: 1n,
      a: 0x7830a3318b603b89e2327145ac234cc594cbdd8d3df91610a83441caea9863bc2ded5d5aa8253aa10a2ef1c98b9ac8b57f1117a72bf2c7b9e7c1ac4d77fc94can,
      b: 0x3df91610a83441caea9863bc2ded5d5aa8253aa10a2ef1c98b9ac8b57f1117a72bf2c7b9e7c1ac4d77fc94cadc083e67984050b75ebae5dd2809bd638016f723n,
      Gx: 0x81aee4bdd82ed9645a21322e9c4c6a9385ed9f70b5d916c1b43b62eef4d0098eff3b1f78e2d0d48d50d1687b93b97d5f7c6d5047406a5e688b352209bcb9f822n,
      Gy: 0x7dde385d566332ecc0eabfa9cf7822fdf209f70024a57b1aa000c55b881f8111b2dcde494a5f485e5bca4bd88a2763aed1ca2b2fa8f0540678cd1e0f3ad80892n,
    }),
    sha512,
  ),
)

export const brainpoolCurves: Readonly<Record<BrainpoolCurve, () => ECDSA>> = {
  brainpoolP256r1: nobleBrainpoolP256r1,
  brainpoolP384r1: nobleBrainpoolP384r1,
  brainpoolP512r1: nobleBrainpoolP512r1,
}
