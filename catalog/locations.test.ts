import { describe, expect, test } from 'vitest'
import { CatalogError } from './errors.ts'
import { checkLocation, defaultLocation, isInWarehouse, metadataFileLocation, namespaceLocation, parseLocation, requestedLocation } from './locations.ts'
import type { Warehouse } from './rows/rows.ts'

const lake: Warehouse = { name: 'lake', bucket: 'lake', ownerAccountId: '111111111111', createdAtMs: 0 }
const part: Warehouse = { ...lake, name: 'part', prefix: 'warm/part' }

test('s3, s3a and s3n name the same place', () => {
  for (const scheme of ['s3', 's3a', 's3n']) expect(parseLocation(`${scheme}://b/a/k`)).toEqual({ bucket: 'b', key: 'a/k' })
  for (const other of ['file:/a', 's3://b', 's3:///k', 'S3://b/k', 'gs://b/k', '']) expect(parseLocation(other)).toBeUndefined()
})

describe('a warehouse', () => {
  test.each([
    [lake, 's3://lake/a', true],
    [lake, 's3a://lake/a/b/', true],
    [lake, 's3://lake', true],
    [lake, 's3://lakes/a', false],
    [lake, 'file:/lake/a', false],
    [part, 's3://lake/warm/part/a', true],
    [part, 's3://lake/warm/part', true],
    [part, 's3://lake/warm/party/a', false],
    [part, 's3://lake/warm', false],
    [part, 's3://lake/a', false],
  ])('%o holds %s: %s', (warehouse, location, holds) => {
    expect(isInWarehouse(warehouse, location)).toBe(holds)
  })

  test.each(['s3://elsewhere/a', 's3://lake/a/../b', 's3://lake/./b', 'lake/a'])('refuses %s', (location) => {
    expect(() => checkLocation(lake, location)).toThrow(CatalogError)
  })

  test('overrides what is no S3 location at all', () => {
    expect(requestedLocation(lake, 'file:/user/hive/warehouse/t')).toBeUndefined()
    expect(requestedLocation(lake, undefined)).toBeUndefined()
    expect(requestedLocation(lake, 's3://lake/t//')).toBe('s3://lake/t')
    expect(() => requestedLocation(lake, 's3://elsewhere/t')).toThrow(CatalogError)
  })
})

describe('a namespace', () => {
  test.each([
    [lake, {}, 's3://lake/a/b_c'],
    [part, {}, 's3://lake/warm/part/a/b_c'],
    [lake, { location: 's3://lake/own/' }, 's3://lake/own'],
    [lake, { location: 's3a://lake/own' }, 's3a://lake/own'],
    [lake, { location: 's3://elsewhere/own' }, 's3://lake/a/b_c'],
    [lake, { location: 's3://lake/../own' }, 's3://lake/a/b_c'],
    [lake, { location: 'file:/own' }, 's3://lake/a/b_c'],
    [part, { location: 's3://lake/own' }, 's3://lake/warm/part/a/b_c'],
    [part, { location: 's3://lake/warm/part/own' }, 's3://lake/warm/part/own'],
  ])('of %o with %o is at %s', (warehouse, properties, location) => {
    expect(namespaceLocation(warehouse, ['a', 'b c'], properties)).toBe(location)
  })

  test('has segments that every client reads alike', () => {
    expect(namespaceLocation(lake, ['..', '.', 'ä/b%', 'x'.repeat(200)], {})).toBe(`s3://lake/_/_/__b_/${'x'.repeat(100)}`)
    expect(defaultLocation(lake, ['a'], {}, 't 1', 'uuid')).toBe('s3://lake/a/t_1-uuid')
  })
})

describe('metadata files', () => {
  const at = (location: string, properties: Record<string, string>, previous?: string): string => metadataFileLocation(lake, { location, properties }, previous, 'uuid')

  test('are counted, whoever wrote the one before', () => {
    expect(at('s3://lake/t', {})).toBe('s3://lake/t/metadata/00000-uuid.metadata.json')
    expect(at('s3://lake/t', {}, 's3://lake/t/metadata/00041-x.metadata.json')).toBe('s3://lake/t/metadata/00042-uuid.metadata.json')
    expect(at('s3://lake/t', {}, 's3://lake/t/metadata/v7.metadata.json')).toBe('s3://lake/t/metadata/00008-uuid.metadata.json')
    expect(at('s3://lake/t', {}, 's3://lake/t/elsewhere.json')).toBe('s3://lake/t/metadata/00000-uuid.metadata.json')
  })

  test('go where the table says, within the warehouse', () => {
    expect(at('s3://lake/t', { 'write.metadata.path': 's3://lake/m/' })).toBe('s3://lake/m/00000-uuid.metadata.json')
    expect(at('s3://lake/t', { 'write.metadata.path': 'file:/m' })).toBe('s3://lake/t/metadata/00000-uuid.metadata.json')
    expect(() => at('s3://lake/t', { 'write.metadata.path': 's3://elsewhere/m' })).toThrow(CatalogError)
    expect(() => at('s3://elsewhere/t', {})).toThrow(CatalogError)
  })
})
