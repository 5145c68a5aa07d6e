use palco_actors::*;
use palco_models::*;
use palco_service::services::*;
use std::sync::Arc;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let system = System::new().unwrap();
    let mut st = ServerSettings::new("s", a[1].parse().unwrap(), a[2].parse().unwrap());
    st.listen = "127.0.0.1:7999".parse().unwrap();
    let server = Server::start(&system, st, Arc::new(echo::EchoService), echo::EchoCodec).unwrap();
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    for s in system.snapshot() {
        println!("{} {} {:?} {:?}", s.id, s.path, s.place, s.status);
    }
    println!("{:?}", palco_threads::block_on(server.drain()));
    println!("{:?}", server.scores());
    palco_threads::block_on(system.shutdown());
}
