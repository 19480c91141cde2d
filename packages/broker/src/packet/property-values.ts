// Properties of MQTT 5.0 as values (section 2.2.2), to bytes and back, in their order.

import { ByteWriter } from "./byte-writer.ts"
import { Cursor, copyOf } from "./bytes.ts"
import { checkProperties, type Property, PropertyId, propertyTable } from "./properties.ts"

export interface PropertyValue {
  readonly id: number
  readonly value: number | string | Uint8Array | readonly [name: string, value: string]
}

export function numberOf(properties: readonly PropertyValue[], id: number): number | undefined {
  const value = properties.find((each) => each.id === id)?.value
  return typeof value === "number" ? value : undefined
}

/** The bytes of a property set, with its Property Length. */
export function encodeProperties(properties: readonly PropertyValue[]): Uint8Array {
  const bytes = new ByteWriter()
  for (const { id, value } of properties) {
    bytes.byte(id)
    if (typeof value === "string") bytes.text(value)
    else if (value instanceof Uint8Array) bytes.binary(value)
    else if (typeof value === "object") bytes.text(value[0]).text(value[1])
    else encodeNumber(bytes, propertyTable.get(id)?.kind, value)
  }
  const all = bytes.take()
  return new ByteWriter().variable(all.length).bytes(all).take()
}

function encodeNumber(bytes: ByteWriter, kind: Property["kind"] | undefined, value: number): void {
  if (kind === "uint16") bytes.uint16(value)
  else if (kind === "uint32") bytes.uint32(value)
  else if (kind === "variable") bytes.variable(value)
  else bytes.byte(value)
}

/**
 * The properties that begin at `start`, in their order. Throws PacketError.
 * @param packetType what they are properties of @param end of the packet
 */
export function decodeProperties(bytes: Uint8Array, start: number, end: number, packetType: number): PropertyValue[] {
  if (start >= end || bytes[start] === 0) return []
  const found: PropertyValue[] = []
  checkProperties(new Cursor(bytes, start, end), packetType, (id, at, after) =>
    found.push({ id, value: decodeValue(id, new Cursor(bytes, at + 1, after)) }),
  )
  return found
}

function decodeValue(id: number, cursor: Cursor): PropertyValue["value"] {
  const { name, kind } = propertyTable.get(id)!
  switch (kind) {
    case "text":
      return cursor.text(name)
    case "binary": {
      const start = cursor.binary(name)
      return cursor.bytes.subarray(start, cursor.at)
    }
    case "pair": {
      const first = cursor.text(name)
      return [first, cursor.text(name)]
    }
    case "uint16":
      return cursor.uint16(name)
    case "uint32":
      return cursor.uint32(name)
    case "variable":
      return cursor.variableByteInteger(name)
    default:
      return cursor.byte(name)
  }
}

/**
 * A property set by identifier, without its User Properties: nobody asks for them, and a packet may hold a hundred thousand.
 * Reads the set at the cursor, which is behind it then. Throws PacketError.
 */
export class PropertySet {
  readonly #values: Map<number, PropertyValue["value"]> = new Map()

  /** @param packetType what they are properties of */
  constructor(cursor: Cursor, packetType: number) {
    checkProperties(cursor, packetType, (id, start, end) => {
      if (id !== PropertyId.UserProperty)
        this.#values.set(id, decodeValue(id, new Cursor(cursor.bytes, start + 1, end)))
    })
  }

  number(id: number): number | undefined {
    const value = this.#values.get(id)
    return typeof value === "number" ? value : undefined
  }

  text(id: number): string | undefined {
    const value = this.#values.get(id)
    return typeof value === "string" ? value : undefined
  }

  /** Bytes of our own, not a view of what was received. */
  binary(id: number): Uint8Array | undefined {
    const value = this.#values.get(id)
    return value instanceof Uint8Array ? copyOf(value) : undefined
  }

  /** Undefined when it is not there. */
  flag(id: number): boolean | undefined {
    const value = this.number(id)
    return value === undefined ? undefined : value === 1
  }
}

/** The Reason String of an acknowledgement, if it has one. */
export function reasonStringIn(bytes: Uint8Array, start: number, end: number, packetType: number): string | undefined {
  const value = decodeProperties(bytes, start, end, packetType).find(({ id }) => id === PropertyId.ReasonString)?.value
  return typeof value === "string" ? value : undefined
}
