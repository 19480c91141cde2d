// Makes a screenshot smaller: the same picture with 256 colours, those that are in it most often and those that these are no stand-in for. Only what a browser's screenshots are:
// 8 bits a channel, red, green and blue, not interlaced (PNG, third edition).

import { crc32, deflateSync, inflateSync } from "node:zlib"

const signature = 8
const channels = 3

/** @param png as a browser writes it @returns a PNG with a palette */
export function withPalette(png) {
  const { width, height, data } = read(png)
  const pixels = unfiltered(inflateSync(data), width, height)
  const counts = new Map()
  for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) ?? 0) + 1)
  const palette = paletteOf(counts)
  const places = new Map(palette.map((colour, at) => [colour, at]))
  for (const colour of counts.keys()) if (!places.has(colour)) places.set(colour, nearest(colour, palette))
  const rows = Buffer.alloc((width + 1) * height)
  for (let at = 0; at < pixels.length; at++) {
    rows[at + Math.floor(at / width) + 1] = places.get(pixels[at])
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  // 8 bits, a palette.
  header.set([8, 3, 0, 0, 0], 8)
  return Buffer.concat([
    png.subarray(0, signature),
    chunk("IHDR", header),
    chunk("PLTE", Buffer.from(palette.flatMap(channelsOf))),
    chunk("IDAT", deflateSync(rows, { level: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ])
}

/** Of the colours and how often they are there. A small mark of a colour of its own keeps it. */
function paletteOf(counts) {
  const all = [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a))
  const palette = all.slice(0, 192)
  const others = all
    .slice(192)
    .map((colour) => ({ colour, distance: distanceOf(colour, palette[nearest(colour, palette)]) }))
  while (palette.length < 256 && others.length > 0) {
    const worst = others.reduce((a, b) => (weight(b) > weight(a) ? b : a))
    if (weight(worst) === 0) break
    palette.push(worst.colour)
    for (const other of others) other.distance = Math.min(other.distance, distanceOf(other.colour, worst.colour))
  }
  return palette

  function weight({ colour, distance }) {
    return distance * counts.get(colour)
  }
}

function distanceOf(a, b) {
  const there = channelsOf(b)
  return channelsOf(a).reduce((sum, value, channel) => sum + (value - there[channel]) ** 2, 0)
}

function read(png) {
  const parts = []
  const [width, height, kind] = [png.readUInt32BE(16), png.readUInt32BE(20), png.readUInt32BE(24)]
  if (kind !== 0x08020000) throw new Error("not 8 bits of red, green and blue")
  for (let at = signature; at < png.length; ) {
    const length = png.readUInt32BE(at)
    if (png.toString("latin1", at + 4, at + 8) === "IDAT") parts.push(png.subarray(at + 8, at + 8 + length))
    at += 12 + length
  }
  return { width, height, data: Buffer.concat(parts) }
}

/** The pixels as numbers, with each row's filter undone (section 9.2). */
function unfiltered(rows, width, height) {
  const size = width * channels
  const bytes = Buffer.alloc(size * height)
  for (let y = 0; y < height; y++) {
    const filter = rows[y * (size + 1)]
    for (let x = 0; x < size; x++) {
      const at = y * size + x
      const left = x >= channels ? bytes[at - channels] : 0
      const above = y > 0 ? bytes[at - size] : 0
      const corner = y > 0 && x >= channels ? bytes[at - size - channels] : 0
      const guess = [0, left, above, (left + above) >> 1, paeth(left, above, corner)][filter]
      bytes[at] = rows[y * (size + 1) + 1 + x] + guess
    }
  }
  return Uint32Array.from({ length: width * height }, (_, at) => bytes.readUIntBE(at * channels, channels))
}

function paeth(left, above, corner) {
  const distance = (value) => Math.abs(left + above - corner - value)
  if (distance(left) <= distance(above) && distance(left) <= distance(corner)) return left
  return distance(above) <= distance(corner) ? above : corner
}

function nearest(colour, palette) {
  let best = 0
  let least = Number.POSITIVE_INFINITY
  palette.forEach((other, at) => {
    const distance = distanceOf(colour, other)
    if (distance < least) [best, least] = [at, distance]
  })
  return best
}

function channelsOf(colour) {
  return [colour >>> 16, (colour >>> 8) & 255, colour & 255]
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(data.length)
  const check = Buffer.alloc(4)
  check.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, check])
}
