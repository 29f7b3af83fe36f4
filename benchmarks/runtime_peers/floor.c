/* The floor: what a runtime in C costs that echoes each event without looking at it.
 * usage: floor handler   (the handler's name is ignored) */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static char buffer[16 << 20], body[16 << 20];
static size_t held;
static int peer;

static void more(void) {
    ssize_t n = read(peer, buffer + held, sizeof buffer - 1 - held);
    if (n <= 0) exit(1);
    buffer[held += (size_t)n] = 0;
}

static void drop(size_t n) {
    memmove(buffer, buffer + n, held - n + 1);
    held -= n;
}

static void send_all(const char *data, size_t length) {
    while (length) {
        ssize_t n = write(peer, data, length);
        if (n <= 0) exit(1);
        data += n, length -= (size_t)n;
    }
}

static const char *header(const char *name) {
    char *at = strcasestr(buffer, name);
    return at ? at + strlen(name) : 0;
}

/* Reads one response into body; the request id, if there is one, into id. */
static size_t receive(char *id) {
    char *end;
    while (!(end = strstr(buffer, "\r\n\r\n"))) more();
    *end = 0;
    const char *text = header("lambda-runtime-aws-request-id: "), *size = header("content-length: ");
    if (text) snprintf(id, 64, "%.*s", (int)strcspn(text, "\r"), text);
    size_t length = size ? strtoul(size, 0, 10) : 0, total = 0;
    int chunked = header("transfer-encoding: chunked") != 0;
    drop((size_t)(end - buffer) + 4);
    if (!chunked) {
        while (held < length) more();
        memcpy(body, buffer, length);
        drop(length);
        return length;
    }
    size_t at = 0;
    for (;;) {
        char *line;
        while (!(line = strstr(buffer + at, "\r\n"))) more();
        length = strtoul(buffer + at, 0, 16);
        at = (size_t)(line - buffer) + 2;
        while (held < at + length + 2) more();
        memcpy(body + total, buffer + at, length);
        total += length;
        at += length + 2;
        if (!length) break;
    }
    drop(at);
    return total;
}

int main(void) {
    char host[256], head[512], id[64] = "";
    const char *api = getenv("AWS_LAMBDA_RUNTIME_API");
    if (!api || strlen(api) >= sizeof host) return 2;
    strcpy(host, api);
    char *colon = strrchr(host, ':');
    if (!colon) return 2;
    *colon = 0;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(colon + 1))};
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1) return 2;
    int on = 1;
    /* The emulator starts a runtime before it listens. */
    for (int knocks = 0;; knocks++) {
        peer = socket(AF_INET, SOCK_STREAM, 0);
        setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (!connect(peer, (struct sockaddr *)&address, sizeof address)) break;
        if (knocks == 2000) return 1;
        close(peer);
        usleep(1000);
    }
    for (;;) {
        int n = snprintf(head, sizeof head, "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: %s\r\n\r\n", api);
        send_all(head, (size_t)n);
        size_t length = receive(id);
        n = snprintf(head, sizeof head,
                     "POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\r\nHost: %s\r\nContent-Length: %zu\r\n\r\n",
                     id, api, length);
        send_all(head, (size_t)n);
        send_all(body, length);
        receive(id);
    }
}
