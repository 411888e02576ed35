//! An agent's result as a Rust type, and its steps as it works: `cargo run --example agent_task`.

mod support;

use anchorbrowser_emulator::{AgentScript, Emulator};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

/// What the agent is asked for. Its JSON Schema is sent along.
#[derive(Debug, Deserialize, JsonSchema)]
struct Product {
    /// The name as the page shows it.
    name: String,
    /// The price in euros.
    price: f64,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let (client, emulator) = support::client(Emulator::builder()).await?;
    if let Some(emulator) = &emulator {
        // An emulator has no agent: it does what a script says.
        let result = json!({ "name": "Kettle", "price": 34.5 });
        emulator.script(AgentScript::completed(result).steps(3))?;
    }

    let outcome = client
        .agent()
        .task("Find the cheapest kettle")
        .url("https://shop.example.com")
        .max_steps(20)
        .output::<Product>()
        .on_step(|step| println!("step {}", step.number.unwrap_or_default()))
        .run()
        .await?;

    println!("{} for {} euros", outcome.output.name, outcome.output.price);
    println!("in session {:?}, which has ended", outcome.session_id);
    Ok(())
}
