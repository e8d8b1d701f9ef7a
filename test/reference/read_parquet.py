"""Prints the schema and the rows of a Parquet file, as JSON with NaN and infinities as Python writes them."""

import json
import sys

import pyarrow.parquet as pq

file = pq.ParquetFile(sys.argv[1])
table = file.read()
print(
    json.dumps(
        {
            "types": {field.name: str(field.type) for field in table.schema},
            "groups": file.num_row_groups,
            "rows": [{name: repr(value) for name, value in row.items()} for row in table.to_pylist()],
        }
    )
)
