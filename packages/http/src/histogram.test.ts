import { expect, test } from 'vitest'
import { Histogram } from './histogram.ts'

test('a histogram counts each duration in every bucket that it fits in, by labels', () => {
  const histogram = new Histogram('took_seconds', 'How long it took', [0.1, 1])
  for (const seconds of [0.05, 0.1, 0.5, 3]) histogram.observe({ endpoint: 'boat.get', status: '200' }, seconds)
  histogram.observe({ endpoint: 'boat.list', status: '200' }, 0.25)
  expect(histogram.text().split('\n')).toEqual([
    '# HELP took_seconds How long it took',
    '# TYPE took_seconds histogram',
    'took_seconds_bucket{le="0.1",endpoint="boat.get",status="200"} 2',
    'took_seconds_bucket{le="1",endpoint="boat.get",status="200"} 3',
    'took_seconds_bucket{le="+Inf",endpoint="boat.get",status="200"} 4',
    'took_seconds_sum{endpoint="boat.get",status="200"} 3.65',
    'took_seconds_count{endpoint="boat.get",status="200"} 4',
    'took_seconds_bucket{le="0.1",endpoint="boat.list",status="200"} 0',
    'took_seconds_bucket{le="1",endpoint="boat.list",status="200"} 1',
    'took_seconds_bucket{le="+Inf",endpoint="boat.list",status="200"} 1',
    'took_seconds_sum{endpoint="boat.list",status="200"} 0.25',
    'took_seconds_count{endpoint="boat.list",status="200"} 1',
  ])
})
