// KeyUsage bits (RFC 5280 section 4.2.1.3): bit n of the number is named bit n. `import * as KeyUsage`.

export const digitalSignature = 0x1
export const contentCommitment = 0x2
export const keyEncipherment = 0x4
export const dataEncipherment = 0x8
export const keyAgreement = 0x10
export const keyCertSign = 0x20
export const cRLSign = 0x40
export const encipherOnly = 0x80
export const decipherOnly = 0x100
