# A WhatsApp sender on threads and a queue, with Ruby's standard library alone.
#
# POST /send {"to": …, "text": …} answers 202 and sends in the background; GET /healthz answers 200. It has the flaw of
# most: an answer that does not come is taken for a failure. ON_TIMEOUT=give-up takes it for what it is.
require "json"
require "net/http"
require "socket"

API = URI("#{ENV.fetch("CLOUD_API")}/v24.0/#{ENV.fetch("PHONE_NUMBER_ID", "106540352242922")}/messages")
TIMEOUT = ENV.fetch("TIMEOUT", "5").to_f
ATTEMPTS = ENV.fetch("ATTEMPTS", "5").to_i

# send_once returns the status of one request. It raises when nobody knows what came of it.
def send_once(message)
  http = Net::HTTP.new(API.host, API.port)
  http.open_timeout = http.read_timeout = TIMEOUT
  http.max_retries = 0
  headers = {"Authorization" => "Bearer #{ENV.fetch("ACCESS_TOKEN", "EAAexample")}", "Content-Type" => "application/json"}
  body = {messaging_product: "whatsapp", to: message["to"], type: "text", text: {body: message["text"]}}
  http.post(API.path, JSON.generate(body), headers).code.to_i
end

def deliver(message)
  ATTEMPTS.times do |attempt|
    begin
      return if send_once(message) == 200
    rescue Timeout::Error, SystemCallError, IOError => e
      warn "#{message["to"]}: #{e.class}"
      return if ENV["ON_TIMEOUT"] == "give-up"
    end
    sleep 2**attempt
  end
  warn "#{message["to"]}: given up"
end

WAITING = Queue.new
ENV.fetch("WORKERS", "40").to_i.times { Thread.new { loop { deliver(WAITING.pop) } } }

def answer(client)
  while (line = client.gets)
    method, path = line.split
    length = 0
    while (header = client.gets) && header != "\r\n"
      length = header[/\d+/].to_i if header.downcase.start_with?("content-length:")
    end
    body = client.read(length)
    status = "404 Not Found"
    if method == "POST" && path == "/send"
      WAITING << JSON.parse(body)
      status = "202 Accepted"
    elsif path == "/healthz"
      status = "200 OK"
    end
    client.write "HTTP/1.1 #{status}\r\nContent-Length: 0\r\n\r\n"
  end
rescue SystemCallError, IOError, JSON::ParserError
  nil
ensure
  client.close
end

server = TCPServer.new("127.0.0.1", ENV.fetch("PORT").to_i)
server.listen(128)
loop { Thread.new(server.accept) { |client| answer(client) } }
