"""Calls that wait for a database.

Sources: "sqlite3" in the library reference of CPython 3.11-3.14; the installed packages psycopg 3.3, psycopg-pool
3.3, psycopg2-binary 2.9, PyMySQL 1.2, mysql-connector-python 26.10, pymongo 4.20, redis 8.1, SQLAlchemy 2.1, sqlmodel
0.0, peewee 4.5, elasticsearch 9.5, opensearch-py 3.2, neo4j 6.4, qdrant-client 1.20. Not looked up: pyodbc,
mysqlclient, cassandra-driver.

What a driver has in memory once the statement ran (`fetchone` of psycopg2, say) does not wait.
"""

from __future__ import annotations

from .entry import Argument, Blocking, each

# A database that is made so never waits for a disk.
IN_MEMORY = Argument(0, "database", (":memory:", ""))
_SHARED = "an object of sqlite3 refuses to be used in another thread than the one that made it"
_SQLITE = Blocking("AIO106", "aiosqlite.connect", bound=_SHARED)
_PSYCOPG = Blocking("AIO106", "psycopg.AsyncConnection")
# Connections that come back at once are asked with these whether they are through.
_POLLED = ("POLL_OK", "isexecuting", "set_wait_callback", "wait_select")
_PSYCOPG2 = Blocking("AIO106", "psycopg.AsyncConnection", hints=_POLLED)
# It comes back at once, and what the connection does is polled for.
_ASYNCHRONOUS = (Argument(-1, "async", (True, 1)), Argument(-1, "async_", (True, 1)))
_MYSQL = Blocking("AIO106", "aiomysql.connect")
_MYSQL_CONNECTOR = Blocking("AIO106", "mysql.connector.aio.connect")
_MONGO = Blocking("AIO106", "pymongo.AsyncMongoClient")
_REDIS = Blocking("AIO106", "redis.asyncio.Redis")
_ALCHEMY = Blocking("AIO106", "sqlalchemy.ext.asyncio")
_SEARCH = Blocking("AIO106", "elasticsearch.AsyncElasticsearch")
_OPEN_SEARCH = Blocking("AIO106", "opensearchpy.AsyncOpenSearch")
_PEEWEE = Blocking("AIO106", "playhouse.pwasyncio")
_NEO4J = Blocking("AIO106", "neo4j.AsyncGraphDatabase")
_PLAIN = Blocking("AIO106")
_ODBC = Blocking("AIO106", "aioodbc.connect")

_PYMYSQL_CURSORS = tuple(f"pymysql.cursors.{name}" for name in ("Cursor", "DictCursor", "SSCursor", "SSDictCursor"))
_COLLECTION = "pymongo.collection.Collection"
_DATABASE = "pymongo.database.Database"
_SESSIONS = ("sqlalchemy.orm.Session", "sqlalchemy.orm.scoped_session")
_QUERY = "sqlalchemy.orm.Query"
_PEEWEES = ("peewee.SqliteDatabase", "peewee.PostgresqlDatabase", "peewee.MySQLDatabase")

CALLS: dict[str, Blocking] = {
    "sqlite3.connect": Blocking("AIO106", "aiosqlite.connect", unless=(IN_MEMORY,), bound=_SHARED),
    **each("sqlite3.Connection", "backup commit execute executemany executescript", _SQLITE),
    **each("sqlite3.Cursor", "execute executemany executescript fetchall fetchmany fetchone", _SQLITE),
    **each("psycopg", "connect", _PSYCOPG),
    **each("psycopg.Connection", "commit connect execute rollback wait", _PSYCOPG),
    **each("psycopg.Cursor", "execute executemany", _PSYCOPG),
    **each("psycopg_pool.ConnectionPool", "getconn open wait", Blocking("AIO106", "psycopg_pool.AsyncConnectionPool")),
    "psycopg2.connect": _PSYCOPG2._replace(unless=_ASYNCHRONOUS),
    **each("psycopg2.extensions.connection", "commit rollback", _PSYCOPG2),
    **each("psycopg2.extensions.cursor", "callproc copy_expert copy_from copy_to execute executemany", _PSYCOPG2),
    **each("psycopg2.extras", "execute_batch execute_values", _PSYCOPG2),
    **each(("psycopg2.pool.SimpleConnectionPool", "psycopg2.pool.ThreadedConnectionPool"), "getconn", _PSYCOPG2),
    **dict.fromkeys(
        ("pymysql.connect", "pymysql.Connect", "pymysql.Connection", "pymysql.connections.Connection"), _MYSQL
    ),
    **each("pymysql.connections.Connection", "begin commit connect ping query rollback select_db", _MYSQL),
    **each(_PYMYSQL_CURSORS, "callproc execute executemany", _MYSQL),
    **dict.fromkeys(("MySQLdb.connect", "MySQLdb.Connect", "MySQLdb.Connection"), _MYSQL),
    **each("MySQLdb.connections.Connection", "commit ping query rollback", _MYSQL),
    **each("MySQLdb.cursors.Cursor", "callproc execute executemany", _MYSQL),
    "mysql.connector.connect": _MYSQL_CONNECTOR,
    **each("mysql.connector.connection.MySQLConnection", "commit ping reconnect rollback", _MYSQL_CONNECTOR),
    **each("mysql.connector.cursor.MySQLCursor", "callproc execute executemany", _MYSQL_CONNECTOR),
    "pyodbc.connect": _ODBC,
    **each("pyodbc.Connection", "commit execute rollback", _ODBC),
    **each("pyodbc.Cursor", "execute executemany fetchall fetchmany fetchone", _ODBC),
    # The constructor of a MongoClient connects in the background.
    **each("pymongo.MongoClient", "bulk_write drop_database list_database_names list_databases server_info", _MONGO),
    **each(
        _DATABASE,
        "aggregate command create_collection dereference drop_collection list_collection_names list_collections "
        "validate_collection",
        _MONGO,
    ),
    **each(
        _COLLECTION,
        "aggregate aggregate_raw_batches bulk_write count_documents create_index create_indexes "
        "create_search_index delete_many delete_one distinct drop drop_index drop_indexes estimated_document_count "
        "find_one find_one_and_delete find_one_and_replace find_one_and_update index_information insert_many "
        "insert_one list_indexes rename replace_one update_many update_one watch",
        _MONGO,
    ),
    **each(("pymongo.cursor.Cursor", "pymongo.command_cursor.CommandCursor"), "next to_list", _MONGO),
    # Every command of the server is a method.
    **each(("redis.Redis", "redis.RedisCluster"), "*", _REDIS),
    "redis.RedisCluster": _REDIS,
    "redis.client.Pipeline.execute": _REDIS,
    **each("redis.client.PubSub", "psubscribe punsubscribe subscribe unsubscribe parse_response ping", _REDIS),
    "redis.client.PubSub.get_message": Blocking(
        "AIO106", "redis.asyncio.Redis", given=Argument(1, "timeout"), unless=(Argument(1, "timeout", (0, 0.0)),)
    ),
    "redis.lock.Lock.acquire": Blocking("AIO106", "redis.asyncio.Redis"),
    **each("redis.lock.Lock", "extend release", _REDIS),
    **each("sqlalchemy.engine.Engine", "connect execute has_table raw_connection table_names", _ALCHEMY),
    **each("sqlalchemy.engine.Connection", "commit exec_driver_sql execute rollback scalar scalars", _ALCHEMY),
    **each("sqlalchemy.schema.MetaData", "create_all drop_all reflect", _ALCHEMY),
    **each(
        _SESSIONS,
        "bulk_insert_mappings bulk_save_objects bulk_update_mappings commit execute flush get get_one merge refresh "
        "rollback scalar scalars",
        _ALCHEMY,
    ),
    **each("sqlmodel.Session", "commit exec execute flush get merge refresh rollback scalar scalars", _ALCHEMY),
    **each(_QUERY, "all count delete first get one one_or_none scalar update", _ALCHEMY),
    **each(_PEEWEES, "connect create_tables drop_tables execute_sql", _PEEWEE),
    **each("neo4j.Driver", "execute_query verify_connectivity", _NEO4J),
    **each("neo4j.Session", "execute_read execute_write run", _NEO4J),
    "cassandra.cluster.Cluster.connect": _PLAIN,
    "cassandra.cluster.Session.execute": _PLAIN,
    "qdrant_client.QdrantClient.*": Blocking("AIO106", "qdrant_client.AsyncQdrantClient"),
    "elasticsearch.Elasticsearch.*": _SEARCH,
    **each("elasticsearch.helpers", "bulk reindex", _SEARCH),
    "opensearchpy.OpenSearch.*": _OPEN_SEARCH,
    **each("opensearchpy.helpers", "bulk reindex", _OPEN_SEARCH),
}

_REDIS_NEVER = (
    "bf", "cf", "client", "close", "cms", "determine_slot", "disconnect_connection_pools", "from_pool", "from_url",
    "ft", "get_cache", "get_connection_kwargs", "get_default_node", "get_encoder", "get_node", "get_node_from_key",
    "get_nodes", "get_nodes_from_slot", "get_primaries", "get_random_node", "get_random_primary_node",
    "get_random_primary_or_all_nodes", "get_redis_connection", "get_replicas", "get_retry", "get_special_nodes",
    "hscan_iter", "json", "keyslot", "keyspace_notifications", "load_external_module", "lock", "monitor",
    "on_connect", "parse_response", "pipeline", "pubsub", "register_script", "replace_default_node", "scan_iter",
    "set_default_node", "set_response_callback", "set_retry", "sscan_iter", "tdigest", "topk", "transaction", "ts",
    "vset", "zscan_iter",
)  # fmt: skip

NEVER: frozenset[str] = frozenset({
    *(f"{owner}.{name}" for owner in ("redis.Redis", "redis.RedisCluster") for name in _REDIS_NEVER),
    *(
        f"{owner}.{name}"
        for owner in ("elasticsearch.Elasticsearch", "opensearchpy.OpenSearch")
        for name in ("close", "options")
    ),
    "qdrant_client.QdrantClient.close",
})  # fmt: skip

RETURNS: dict[str, str] = {
    "sqlite3.connect": "sqlite3.Connection",
    "sqlite3.Connection.cursor": "sqlite3.Cursor",
    "sqlite3.Connection.execute": "sqlite3.Cursor",
    "sqlite3.Connection.executemany": "sqlite3.Cursor",
    "sqlite3.Connection.executescript": "sqlite3.Cursor",
    "sqlite3.Cursor.execute": "sqlite3.Cursor",
    "sqlite3.Cursor.executemany": "sqlite3.Cursor",
    "psycopg.connect": "psycopg.Connection",
    "psycopg.Connection.connect": "psycopg.Connection",
    "psycopg.Connection.cursor": "psycopg.Cursor",
    "psycopg.Connection.execute": "psycopg.Cursor",
    "psycopg_pool.ConnectionPool.connection": "psycopg.Connection",
    "psycopg_pool.ConnectionPool.getconn": "psycopg.Connection",
    "psycopg2.connect": "psycopg2.extensions.connection",
    "psycopg2.extensions.connection.cursor": "psycopg2.extensions.cursor",
    "psycopg2.pool.SimpleConnectionPool.getconn": "psycopg2.extensions.connection",
    "psycopg2.pool.ThreadedConnectionPool.getconn": "psycopg2.extensions.connection",
    "pymysql.connect": "pymysql.connections.Connection",
    "pymysql.Connect": "pymysql.connections.Connection",
    "pymysql.connections.Connection.cursor": "pymysql.cursors.Cursor",
    "MySQLdb.connect": "MySQLdb.connections.Connection",
    "MySQLdb.Connect": "MySQLdb.connections.Connection",
    "MySQLdb.connections.Connection.cursor": "MySQLdb.cursors.Cursor",
    "mysql.connector.connect": "mysql.connector.connection.MySQLConnection",
    "mysql.connector.connection.MySQLConnection.cursor": "mysql.connector.cursor.MySQLCursor",
    "pyodbc.connect": "pyodbc.Connection",
    "pyodbc.Connection.cursor": "pyodbc.Cursor",
    "pyodbc.Connection.execute": "pyodbc.Cursor",
    "pymongo.MongoClient.get_database": _DATABASE,
    "pymongo.MongoClient.get_default_database": _DATABASE,
    f"{_DATABASE}.get_collection": _COLLECTION,
    f"{_DATABASE}.create_collection": _COLLECTION,
    f"{_COLLECTION}.with_options": _COLLECTION,
    f"{_COLLECTION}.find": "pymongo.cursor.Cursor",
    f"{_COLLECTION}.aggregate": "pymongo.command_cursor.CommandCursor",
    **{
        f"pymongo.cursor.Cursor.{name}": "pymongo.cursor.Cursor"
        for name in ("batch_size", "hint", "limit", "skip", "sort")
    },
    "redis.from_url": "redis.Redis",
    "redis.Redis.from_url": "redis.Redis",
    "redis.Redis.from_pool": "redis.Redis",
    "redis.StrictRedis.from_url": "redis.Redis",
    "redis.client.Redis.from_url": "redis.Redis",
    "redis.Redis.pipeline": "redis.client.Pipeline",
    "redis.Redis.pubsub": "redis.client.PubSub",
    "redis.Redis.lock": "redis.lock.Lock",
    "sqlalchemy.create_engine": "sqlalchemy.engine.Engine",
    "sqlalchemy.engine.create_engine": "sqlalchemy.engine.Engine",
    "sqlalchemy.engine_from_config": "sqlalchemy.engine.Engine",
    "sqlmodel.create_engine": "sqlalchemy.engine.Engine",
    "sqlalchemy.engine.Engine.connect": "sqlalchemy.engine.Connection",
    "sqlalchemy.engine.Engine.begin": "sqlalchemy.engine.Connection",
    "sqlalchemy.engine.Connection.execution_options": "sqlalchemy.engine.Connection",
    "sqlalchemy.orm.Session.connection": "sqlalchemy.engine.Connection",
    # Classes, although their names are in lower case.
    "sqlalchemy.orm.sessionmaker": "sqlalchemy.orm.sessionmaker",
    "sqlalchemy.orm.scoped_session": "sqlalchemy.orm.scoped_session",
    "sqlalchemy.orm.sessionmaker.begin": "sqlalchemy.orm.Session",
    "sqlalchemy.orm.Session.query": _QUERY,
    "sqlalchemy.orm.scoped_session.query": _QUERY,
    "sqlmodel.Session.query": _QUERY,
    **{
        f"{_QUERY}.{name}": _QUERY
        for name in (
            "distinct", "execution_options", "filter", "filter_by", "group_by", "having", "join", "limit", "offset",
            "options", "order_by", "outerjoin", "populate_existing", "select_from", "slice", "where",
            "with_for_update",
        )
    },
    "neo4j.GraphDatabase.driver": "neo4j.Driver",
    "neo4j.Driver.session": "neo4j.Session",
    "cassandra.cluster.Cluster.connect": "cassandra.cluster.Session",
    "elasticsearch.Elasticsearch.options": "elasticsearch.Elasticsearch",
}  # fmt: skip

SAME: dict[str, str] = {
    "psycopg2.extras.RealDictConnection": "psycopg2.extensions.connection",
    "psycopg2.extras.DictConnection": "psycopg2.extensions.connection",
    "psycopg2.extras.RealDictCursor": "psycopg2.extensions.cursor",
    "psycopg2.extras.DictCursor": "psycopg2.extensions.cursor",
    "psycopg.cursor.Cursor": "psycopg.Cursor",
    "psycopg.connection.Connection": "psycopg.Connection",
    "psycopg_pool.pool.ConnectionPool": "psycopg_pool.ConnectionPool",
    "pymysql.Connection": "pymysql.connections.Connection",
    "MySQLdb.Connection": "MySQLdb.connections.Connection",
    "pymongo.mongo_client.MongoClient": "pymongo.MongoClient",
    "pymongo.synchronous.mongo_client.MongoClient": "pymongo.MongoClient",
    "pymongo.synchronous.database.Database": _DATABASE,
    "pymongo.synchronous.collection.Collection": _COLLECTION,
    "redis.StrictRedis": "redis.Redis",
    "redis.client.Redis": "redis.Redis",
    "redis.client.StrictRedis": "redis.Redis",
    "redis.cluster.RedisCluster": "redis.RedisCluster",
    "sqlalchemy.Engine": "sqlalchemy.engine.Engine",
    "sqlalchemy.engine.base.Engine": "sqlalchemy.engine.Engine",
    "sqlalchemy.future.Engine": "sqlalchemy.engine.Engine",
    "sqlalchemy.Connection": "sqlalchemy.engine.Connection",
    "sqlalchemy.engine.base.Connection": "sqlalchemy.engine.Connection",
    "sqlalchemy.MetaData": "sqlalchemy.schema.MetaData",
    "sqlalchemy.orm.session.Session": "sqlalchemy.orm.Session",
    "sqlalchemy.orm.session.sessionmaker": "sqlalchemy.orm.sessionmaker",
    "sqlalchemy.orm.scoping.scoped_session": "sqlalchemy.orm.scoped_session",
    "sqlalchemy.orm.query.Query": _QUERY,
    "sqlmodel.orm.session.Session": "sqlmodel.Session",
}

ATTRIBUTES: dict[str, str] = {
    "sqlite3.Cursor.connection": "sqlite3.Connection",
    # Databases and their collections are attributes and items by their names; so are collections of collections.
    "pymongo.MongoClient.*": _DATABASE,
    "pymongo.MongoClient[]": _DATABASE,
    f"{_DATABASE}.*": _COLLECTION,
    f"{_DATABASE}.client": "pymongo.MongoClient",
    f"{_DATABASE}[]": _COLLECTION,
    f"{_COLLECTION}.*": _COLLECTION,
    f"{_COLLECTION}.database": _DATABASE,
    f"{_COLLECTION}[]": _COLLECTION,
    "sqlalchemy.orm.sessionmaker()": "sqlalchemy.orm.Session",
    "sqlalchemy.orm.scoped_session()": "sqlalchemy.orm.Session",
    # `client.indices.create()`
    "elasticsearch.Elasticsearch.*": "elasticsearch.Elasticsearch",
    "opensearchpy.OpenSearch.*": "opensearchpy.OpenSearch",
}
