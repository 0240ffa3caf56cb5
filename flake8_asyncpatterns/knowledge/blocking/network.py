"""Calls that wait for another machine, or for a name's address.

Sources: the library reference of CPython 3.11-3.14; the installed packages requests 2.34, urllib3 2.8, httpx 0.28,
boto3 1.44, paramiko 5.1, pika 1.4, kafka-python 3.0, confluent-kafka 2.16, grpcio 1.85, selenium 4.51, docker 7.2,
dnspython 2.9, openai 3.54, anthropic 2.12, google-generativeai 0.8, huggingface-hub 2.4, slack_sdk 3.47, curl_cffi
0.16, httplib2 0.32, websocket-client 1.9, minio 7.2, azure-storage-blob 12.31, google-cloud-storage 3.17, stripe
16.1.
"""

from __future__ import annotations

from .entry import Argument, Blocking, Named, each

# Where these are spoken of, nothing is sent to anybody.
_MOCKED = ("MockTransport", "MockRouter", "httpretty", "mock", "monkeypatch", "requests_mock", "respx", "respx_mock")
_HTTP = Blocking("AIO102", "httpx.AsyncClient", hints=_MOCKED)
_STREAMS = Blocking("AIO102", "asyncio.open_connection")
_PLAIN = Blocking("AIO102")
_VERBS = "delete get head options patch post put request"

# A socket that never blocks is spoken of in these words. (`connect` of a datagram's socket sends nothing.)
_NON_BLOCKING = (
    "setblocking", "settimeout", "BlockingIOError", "MSG_DONTWAIT", "SOCK_NONBLOCK", "SOCK_DGRAM", "SOCK_RAW",
    "sock_accept", "sock_connect", "sock_recv", "sock_recv_into", "sock_sendall", "add_reader", "add_writer",
    "connect_accepted_socket", "_create_connection_transport",
)  # fmt: skip
_SOCKET = Blocking("AIO102", "asyncio.open_connection", hints=_NON_BLOCKING)
_MAIL = Blocking("AIO102", "aiosmtplib.SMTP")
_TELNET = Blocking("AIO102", "asyncio.open_connection", only="<3.13")
_NEWS = Blocking("AIO102", only="<3.13")
_LAZY = "what waits is reading what it gives"
_ENTERED = "it is the `with` block that waits, where it is entered"
_HOST = Argument(0, "host")
# What looks up a host, and hosts that nobody is asked for: addresses, and this machine.
RESOLVES = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyname_ex"})
KNOWN_HOST = Argument(0, "host", ("", "0.0.0.0", "127.0.0.1", "::", "::1", "localhost", None))
_NUMERIC = (KNOWN_HOST, Argument(5, "flags", (Named("socket.AI_NUMERICHOST"),)))

_HTTP_CONNECTIONS = ("http.client.HTTPConnection", "http.client.HTTPSConnection")
_SMTP = ("smtplib.SMTP", "smtplib.SMTP_SSL", "smtplib.LMTP")
_IMAP = ("imaplib.IMAP4", "imaplib.IMAP4_SSL", "imaplib.IMAP4_stream")
_POP = ("poplib.POP3", "poplib.POP3_SSL")
_FTP = ("ftplib.FTP", "ftplib.FTP_TLS")
_SERVERS = (
    "socketserver.TCPServer", "socketserver.UDPServer", "socketserver.ThreadingTCPServer",
    "socketserver.ThreadingUDPServer", "http.server.HTTPServer", "http.server.ThreadingHTTPServer",
    "wsgiref.simple_server.WSGIServer", "xmlrpc.server.SimpleXMLRPCServer",
)  # fmt: skip

_STANDARD: dict[str, Blocking] = {
    "socket.getaddrinfo": Blocking("AIO102", "loop.getaddrinfo", unless=_NUMERIC),
    **each("socket", "gethostbyname gethostbyname_ex", Blocking("AIO102", "loop.getaddrinfo", unless=(KNOWN_HOST,))),
    **each("socket", "getfqdn gethostbyaddr", Blocking("AIO102", "loop.getnameinfo")),
    "socket.getnameinfo": Blocking(
        "AIO102", "loop.getnameinfo", unless=(Argument(1, "flags", (Named("socket.NI_NUMERICHOST"),)),)
    ),
    "socket.create_connection": _STREAMS,
    **each(
        "socket.socket",
        "accept connect recv recv_into recvfrom recvfrom_into recvmsg recvmsg_into send sendall sendfile sendmsg",
        _SOCKET,
    ),
    "ssl.get_server_certificate": _STREAMS,
    **each("ssl.SSLSocket", "accept connect do_handshake read recv recv_into send sendall write", _SOCKET),
    **each("urllib.request", "urlopen", Blocking("AIO102", "httpx.AsyncClient", hints=("data:", "file:"))),
    "urllib.request.urlretrieve": _HTTP,
    "urllib.request.URLopener.open": Blocking("AIO102", "httpx.AsyncClient", only="<3.14"),
    "urllib.request.OpenerDirector.open": _HTTP,
    "urllib.robotparser.RobotFileParser.read": _HTTP,
    **each(_HTTP_CONNECTIONS, "connect getresponse request", _HTTP),
    **each(
        "http.client.HTTPResponse",
        "peek read read1 readinto readline readlines",
        Blocking("AIO102", "httpx.AsyncClient", hints=("data:", "file:")),
    ),
    **dict.fromkeys(_SMTP, Blocking("AIO102", "aiosmtplib.SMTP", given=_HOST)),
    **each(
        _SMTP,
        "auth connect data docmd ehlo ehlo_or_helo_if_needed expn getreply helo help login mail noop quit rcpt rset "
        "send_message sendmail starttls verify vrfy",
        _MAIL,
    ),
    **dict.fromkeys(_IMAP, _PLAIN),
    **each(
        _IMAP,
        "append authenticate check copy create delete deleteacl enable expunge fetch getacl getannotation "
        "getquota getquotaroot list login login_cram_md5 logout lsub myrights namespace noop open partial proxyauth "
        "read readline recent rename search select setacl setannotation setquota sort starttls status store "
        "subscribe thread uid unselect unsubscribe",
        _PLAIN,
    ),
    **dict.fromkeys(_POP, _PLAIN),
    **each(_POP, "apop capa dele list noop pass_ quit retr rpop rset stat top uidl user utf8", _PLAIN),
    "poplib.POP3.stls": _PLAIN,
    **dict.fromkeys(_FTP, Blocking("AIO102", "aioftp.Client", given=_HOST)),
    **each(
        _FTP,
        "abort acct connect cwd delete dir getmultiline getresp login mkd nlst ntransfercmd pwd quit rename "
        "retrbinary retrlines rmd sendcmd sendeprt sendport size storbinary storlines transfercmd voidcmd voidresp",
        Blocking("AIO102", "aioftp.Client"),
    ),
    **each("ftplib.FTP_TLS", "auth prot_c prot_p", Blocking("AIO102", "aioftp.Client")),
    **dict.fromkeys(("nntplib.NNTP", "nntplib.NNTP_SSL"), _NEWS),
    **each(
        ("nntplib.NNTP", "nntplib.NNTP_SSL"),
        "article body date group head help ihave last list login newgroups newnews next over post quit stat starttls",
        _NEWS,
    ),
    "telnetlib.Telnet": Blocking("AIO102", "asyncio.open_connection", given=_HOST, only="<3.13"),
    **each(
        "telnetlib.Telnet",
        "expect interact open read_all read_some read_until",
        _TELNET,
    ),
    "xmlrpc.client.ServerProxy.*": _PLAIN,
    **each(_SERVERS, "handle_request serve_forever", Blocking("AIO102", "asyncio.start_server")),
}

_SESSIONS = ("requests.Session",)
_POOLS = ("urllib3.PoolManager", "urllib3.ProxyManager", "urllib3.HTTPConnectionPool", "urllib3.HTTPSConnectionPool")
_BOTO = Blocking("AIO102", "aioboto3.Session")
_RESOURCE = "boto3.resources.base.ServiceResource"
_WEB_DRIVER = Blocking("AIO102", "playwright.async_api")
_DRIVERS = tuple(f"selenium.webdriver.{name}" for name in ("Chrome", "Edge", "Firefox", "Ie", "Remote", "Safari"))
_ELEMENT = "selenium.webdriver.remote.webelement.WebElement"
_SSH = Blocking("AIO102", "asyncssh.connect")
_RABBIT = Blocking("AIO102", "aio_pika.connect")
_KAFKA = Blocking("AIO102", "aiokafka")
_DOCKER = Blocking("AIO102", "aiodocker.Docker")
_PIKA_CHANNEL = "pika.adapters.blocking_connection.BlockingChannel"

_LIBRARIES: dict[str, Blocking] = {
    **each(("requests", "requests.api"), _VERBS, _HTTP),
    **each(_SESSIONS, f"{_VERBS} send", _HTTP),
    **each("urllib3", "request", _HTTP),
    **each(_POOLS, "request request_encode_body request_encode_url urlopen", _HTTP),
    **each("httpx", _VERBS, _HTTP),
    "httpx.stream": Blocking("AIO102", "httpx.AsyncClient", bound=_ENTERED),
    **each("httpx.Client", f"{_VERBS} send", _HTTP),
    "httpx.Client.stream": Blocking("AIO102", "httpx.AsyncClient", bound=_ENTERED),
    **each("curl_cffi.requests", _VERBS, Blocking("AIO102", "curl_cffi.requests.AsyncSession")),
    **each("curl_cffi.requests.Session", _VERBS, Blocking("AIO102", "curl_cffi.requests.AsyncSession")),
    "httplib2.Http.request": _HTTP,
    **each("dns.resolver", "query resolve resolve_address zone_for_name", Blocking("AIO102", "dns.asyncresolver")),
    **each("dns.resolver.Resolver", "query resolve", Blocking("AIO102", "dns.asyncresolver.Resolver")),
    # Every operation of a service is a method of its client, made when the client is.
    "botocore.client.BaseClient.*": _BOTO,
    "botocore.waiter.Waiter.wait": _BOTO,
    "botocore.paginate.Paginator.paginate": Blocking("AIO102", "aioboto3.Session", bound=_LAZY),
    "botocore.paginate.PageIterator.build_full_result": _BOTO,
    f"{_RESOURCE}.*": _BOTO,
    **each("paramiko.SSHClient", "connect exec_command invoke_shell open_sftp", _SSH),
    **each(
        "paramiko.SFTPClient",
        "chdir chmod file get getfo listdir listdir_attr lstat mkdir open posix_rename put putfo remove rename rmdir "
        "stat symlink truncate unlink",
        _SSH,
    ),
    "paramiko.SFTPClient.from_transport": _SSH,
    "paramiko.Transport": _SSH,
    **each("paramiko.Transport", "auth_password auth_publickey connect open_session start_client", _SSH),
    **each("paramiko.Channel", "exec_command invoke_shell recv recv_exit_status recv_stderr send sendall", _SSH),
    "pika.BlockingConnection": _RABBIT,
    **each("pika.BlockingConnection", "channel close process_data_events sleep", _RABBIT),
    f"{_PIKA_CHANNEL}.*": _RABBIT,
    **dict.fromkeys(("kafka.KafkaProducer", "kafka.KafkaConsumer", "kafka.KafkaAdminClient"), _KAFKA),
    **each("kafka.KafkaProducer", "close flush partitions_for send", _KAFKA),
    **each(
        "kafka.KafkaConsumer",
        "beginning_offsets close commit committed end_offsets offsets_for_times partitions_for_topic poll position "
        "topics",
        _KAFKA,
    ),
    **each("confluent_kafka.Producer", "flush list_topics", _KAFKA),
    **each("confluent_kafka.Consumer", "close committed consume get_watermark_offsets list_topics", _KAFKA),
    "confluent_kafka.Consumer.poll": Blocking("AIO102", "aiokafka", unless=(Argument(0, "timeout", (0, 0.0)),)),
    "grpc.Server.wait_for_termination": Blocking("AIO102", "grpc.aio.Server"),
    "grpc.Future.result": Blocking("AIO102", "grpc.aio"),
    **dict.fromkeys(_DRIVERS, _WEB_DRIVER),
    **each(
        "selenium.webdriver.Remote",
        "add_cookie back close delete_all_cookies execute_async_script execute_script find_element find_elements "
        "forward get get_cookies get_screenshot_as_file get_screenshot_as_png maximize_window print_page quit refresh "
        "save_screenshot set_window_size",
        _WEB_DRIVER,
    ),
    **each(_ELEMENT, "clear click find_element find_elements get_attribute is_displayed send_keys submit", _WEB_DRIVER),
    **each(
        ("selenium.webdriver.support.ui.WebDriverWait", "selenium.webdriver.support.wait.WebDriverWait"),
        "until until_not",
        _WEB_DRIVER,
    ),
    "docker.from_env": Blocking("AIO102", "aiodocker.Docker", given=Argument(-1, "version", ("auto",))),
    **each("docker.DockerClient", "df events info login ping version", _DOCKER),
    "docker.APIClient.*": _DOCKER,
    **each(
        "docker.models.resource.Collection",
        "build create get get_registry_data list load prune pull push remove run search",
        _DOCKER,
    ),
    **each(
        "docker.models.containers.Container",
        "attach commit exec_run export get_archive kill logs pause put_archive reload remove rename restart start "
        "stats stop top unpause update wait",
        _DOCKER,
    ),
    **each("huggingface_hub", "hf_hub_download snapshot_download upload_file upload_folder", _PLAIN),
    **each(
        "openai.OpenAI",
        "cancel content create delete edit generate list parse retrieve search update upload",
        Blocking("AIO102", "openai.AsyncOpenAI", hints=_MOCKED),
    ),
    **each(
        "anthropic.Anthropic",
        "cancel count_tokens create delete list parse retrieve",
        Blocking("AIO102", "anthropic.AsyncAnthropic", hints=_MOCKED),
    ),
    **each(
        "google.generativeai.GenerativeModel",
        "count_tokens generate_content",
        Blocking("AIO102", "GenerativeModel.generate_content_async"),
    ),
    "websocket.create_connection": Blocking("AIO102", "websockets.connect"),
    **each("websocket.WebSocket", "connect recv recv_data send", Blocking("AIO102", "websockets.connect")),
    **each(
        "minio.Minio",
        "bucket_exists copy_object fget_object fput_object get_object list_buckets make_bucket put_object "
        "remove_bucket remove_object stat_object",
        Blocking("AIO102", "miniopy_async.Minio"),
    ),
    **each(
        "azure.storage.blob.BlobClient",
        "delete_blob download_blob exists get_blob_properties upload_blob",
        Blocking("AIO102", "azure.storage.blob.aio"),
    ),
    **each(
        "azure.storage.blob.ContainerClient",
        "create_container delete_blob delete_container download_blob exists upload_blob",
        Blocking("AIO102", "azure.storage.blob.aio"),
    ),
    **each("google.cloud.storage.Client", "create_bucket get_bucket lookup_bucket", _PLAIN),
    **each("google.cloud.storage.Bucket", "create delete delete_blob exists get_blob patch reload", _PLAIN),
    **each(
        "google.cloud.storage.Blob",
        "delete download_as_bytes download_as_string download_as_text download_to_filename exists make_public reload "
        "upload_from_file upload_from_filename upload_from_string",
        _PLAIN,
    ),
    **each(
        (
            "stripe.checkout.Session",
            "stripe.Customer",
            "stripe.Invoice",
            "stripe.PaymentIntent",
            "stripe.Price",
            "stripe.Product",
            "stripe.Refund",
            "stripe.Subscription",
        ),
        "cancel create delete list modify retrieve search",
        Blocking("AIO102", "the method with `_async` behind its name"),
    ),
    "slack_sdk.WebClient.*": Blocking("AIO102", "slack_sdk.web.async_client.AsyncWebClient"),
}

CALLS: dict[str, Blocking] = {**_STANDARD, **_LIBRARIES}

NEVER: frozenset[str] = frozenset({
    *(
        f"botocore.client.BaseClient.{name}"
        for name in (
            "can_paginate", "close", "exceptions", "generate_presigned_post", "generate_presigned_url",
            "get_paginator", "get_waiter", "meta",
        )
    ),
    *(
        f"{_RESOURCE}.{name}"
        for name in (
            # What names another resource, or a collection that is yet to be iterated.
            "Alarm", "Bucket", "BucketAcl", "Cluster", "Image", "Instance", "KeyPair", "Message", "Metric", "Object",
            "ObjectSummary", "ObjectVersion", "PlatformApplication", "PlatformEndpoint", "Queue", "Role",
            "SecurityGroup", "Snapshot", "Stack", "Subnet", "Subscription", "Table", "Topic", "User", "Volume", "Vpc",
            "all", "batch_writer", "filter", "get_available_subresources", "limit", "page_size", "pages",
        )
    ),
    *(f"{_PIKA_CHANNEL}.{name}" for name in (
        "add_on_cancel_callback", "add_on_return_callback", "get_waiting_message_count",
    )),
    *(f"docker.APIClient.{name}" for name in (
        "close", "create_container_config", "create_endpoint_config", "create_host_config",
        "create_networking_config", "create_swarm_spec", "get_adapter", "mount", "reload_config",
    )),
    *(f"slack_sdk.WebClient.{name}" for name in ("validate_slack_signature",)),
})  # fmt: skip

RETURNS: dict[str, str] = {
    "socket.socket": "socket.socket",  # a class, although its name is in lower case
    "socket.create_server": "socket.socket",
    "socket.create_connection": "socket.socket",
    "ssl.SSLContext.wrap_socket": "ssl.SSLSocket",
    "ssl.create_default_context": "ssl.SSLContext",
    "urllib.request.urlopen": "http.client.HTTPResponse",
    "urllib.request.build_opener": "urllib.request.OpenerDirector",
    "urllib.request.OpenerDirector.open": "http.client.HTTPResponse",
    **{f"{owner}.getresponse": "http.client.HTTPResponse" for owner in _HTTP_CONNECTIONS},
    "wsgiref.simple_server.make_server": "wsgiref.simple_server.WSGIServer",
    "requests.session": "requests.Session",
    "requests.sessions.session": "requests.Session",
    "urllib3.connection_from_url": "urllib3.HTTPConnectionPool",
    "urllib3.proxy_from_url": "urllib3.ProxyManager",
    "cloudscraper.create_scraper": "requests.Session",
    "websocket.create_connection": "websocket.WebSocket",
    "azure.storage.blob.BlobServiceClient.from_connection_string": "azure.storage.blob.BlobServiceClient",
    "azure.storage.blob.BlobServiceClient.get_blob_client": "azure.storage.blob.BlobClient",
    "azure.storage.blob.BlobServiceClient.get_container_client": "azure.storage.blob.ContainerClient",
    "azure.storage.blob.ContainerClient.get_blob_client": "azure.storage.blob.BlobClient",
    "google.cloud.storage.Client.bucket": "google.cloud.storage.Bucket",
    "google.cloud.storage.Client.get_bucket": "google.cloud.storage.Bucket",
    "google.cloud.storage.Bucket.blob": "google.cloud.storage.Blob",
    "google.cloud.storage.Bucket.get_blob": "google.cloud.storage.Blob",
    "boto3.client": "botocore.client.BaseClient",
    "boto3.resource": _RESOURCE,
    "boto3.Session.client": "botocore.client.BaseClient",
    "boto3.Session.resource": _RESOURCE,
    "botocore.session.get_session": "botocore.session.Session",
    "botocore.session.Session.create_client": "botocore.client.BaseClient",
    "botocore.client.BaseClient.get_waiter": "botocore.waiter.Waiter",
    "botocore.client.BaseClient.get_paginator": "botocore.paginate.Paginator",
    "botocore.paginate.Paginator.paginate": "botocore.paginate.PageIterator",
    **{
        f"{_RESOURCE}.{name}": _RESOURCE
        for name in (
            "Bucket", "BucketAcl", "Cluster", "Image", "Instance", "KeyPair", "Message", "Object", "ObjectSummary",
            "ObjectVersion", "PlatformApplication", "PlatformEndpoint", "Queue", "Role", "SecurityGroup", "Snapshot",
            "Stack", "Subnet", "Subscription", "Table", "Topic", "User", "Volume", "Vpc", "create_bucket",
            "create_queue", "create_table", "create_topic", "get_queue_by_name",
        )
    },
    "paramiko.SSHClient.open_sftp": "paramiko.SFTPClient",
    "paramiko.SFTPClient.from_transport": "paramiko.SFTPClient",
    "paramiko.SSHClient.invoke_shell": "paramiko.Channel",
    "paramiko.SSHClient.get_transport": "paramiko.Transport",
    "paramiko.Transport.open_session": "paramiko.Channel",
    "pika.BlockingConnection.channel": _PIKA_CHANNEL,
    "grpc.server": "grpc.Server",
    "grpc.channel_ready_future": "grpc.Future",
    "selenium.webdriver.Remote.find_element": _ELEMENT,
    f"{_ELEMENT}.find_element": _ELEMENT,
    "docker.from_env": "docker.DockerClient",
    "docker.models.resource.Collection.get": "docker.models.containers.Container",
    "openai.OpenAI.with_options": "openai.OpenAI",
    "anthropic.Anthropic.with_options": "anthropic.Anthropic",
}  # fmt: skip

SAME: dict[str, str] = {
    "socket.SocketType": "socket.socket",
    "requests.sessions.Session": "requests.Session",
    "urllib3.poolmanager.PoolManager": "urllib3.PoolManager",
    "urllib3.poolmanager.ProxyManager": "urllib3.ProxyManager",
    "urllib3.connectionpool.HTTPConnectionPool": "urllib3.HTTPConnectionPool",
    "urllib3.connectionpool.HTTPSConnectionPool": "urllib3.HTTPSConnectionPool",
    "curl_cffi.Session": "curl_cffi.requests.Session",
    "boto3.session.Session": "boto3.Session",
    "paramiko.client.SSHClient": "paramiko.SSHClient",
    "paramiko.sftp_client.SFTPClient": "paramiko.SFTPClient",
    "paramiko.transport.Transport": "paramiko.Transport",
    "paramiko.channel.Channel": "paramiko.Channel",
    "pika.adapters.blocking_connection.BlockingConnection": "pika.BlockingConnection",
    **dict.fromkeys(_DRIVERS, "selenium.webdriver.Remote"),
    **dict.fromkeys(
        (
            f"selenium.webdriver.{name}.webdriver.WebDriver"
            for name in ("chrome", "edge", "firefox", "ie", "remote", "safari")
        ),
        "selenium.webdriver.Remote",
    ),
    "docker.client.DockerClient": "docker.DockerClient",
    "docker.api.client.APIClient": "docker.APIClient",
    "docker.api.APIClient": "docker.APIClient",
    "openai.AzureOpenAI": "openai.OpenAI",
    "openai.lib.azure.AzureOpenAI": "openai.OpenAI",
    "slack_sdk.web.WebClient": "slack_sdk.WebClient",
    "slack_sdk.web.client.WebClient": "slack_sdk.WebClient",
}

ATTRIBUTES: dict[str, str] = {
    "xmlrpc.client.ServerProxy.*": "xmlrpc.client.ServerProxy",  # `proxy.system.listMethods()`
    f"{_RESOURCE}.meta": "boto3.resources.base.ResourceMeta",
    "boto3.resources.base.ResourceMeta.client": "botocore.client.BaseClient",
    **{f"docker.DockerClient.{name}": "docker.models.resource.Collection"
       for name in ("containers", "images", "networks", "nodes", "services", "volumes")},
    # `client.chat.completions.create()`: each part of the client is a client of a part.
    "openai.OpenAI.*": "openai.OpenAI",
    "openai.OpenAI.with_streaming_response": "None",  # its methods give what a `with` block opens
    "anthropic.Anthropic.with_streaming_response": "None",
    "anthropic.Anthropic.*": "anthropic.Anthropic",
}  # fmt: skip
